-- Writes three small files into the current folder: who must not be written to, who took consent back, who was erased.
-- Copy them to another machine: they are what a backup of yesterday does not know. No address stands in them.
\copy (SELECT brand_id, address_hash, reason, at, detail FROM suppression ORDER BY id) TO 'suppression.new' CSV
\copy (SELECT DISTINCT ON (contact_id) contact_id, action, at FROM consent WHERE purpose = 'marketing' AND action IN ('given', 'confirmed', 'withdrawn') ORDER BY contact_id, id DESC) TO 'consent.new' CSV
\copy (SELECT id, erased_at FROM contact WHERE erased_at IS NOT NULL ORDER BY id) TO 'erased.new' CSV
-- A file appears complete or not at all.
\! mv suppression.new suppression.csv && mv consent.new consent.csv && mv erased.new erased.csv
