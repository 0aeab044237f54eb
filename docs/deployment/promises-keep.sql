-- After a restore and before anything is started: makes the database keep the promises in the current folder's files.
-- Safe to run twice. Rows are matched by the contact's number, so it must run before new people enter.
BEGIN;
CREATE TEMPORARY TABLE promised (brand_id bigint, address_hash bytea, reason text, at timestamptz, detail text);
CREATE TEMPORARY TABLE last_word (contact_id bigint, action text, at timestamptz);
CREATE TEMPORARY TABLE forgotten (id bigint, erased_at timestamptz);
\copy promised FROM 'suppression.csv' CSV
\copy last_word FROM 'consent.csv' CSV
\copy forgotten FROM 'erased.csv' CSV

INSERT INTO suppression (brand_id, address_hash, reason, at, detail)
SELECT p.brand_id, p.address_hash, p.reason, p.at, coalesce(p.detail, '') FROM promised p JOIN brand b ON b.id = p.brand_id
ON CONFLICT DO NOTHING;

WITH withdrawn AS (
    UPDATE contact c SET marketing_at = NULL FROM last_word w
    WHERE c.id = w.contact_id AND w.action = 'withdrawn' AND c.marketing_at < w.at
    RETURNING c.id, c.brand_id, w.at
)
INSERT INTO consent (brand_id, contact_id, purpose, action, at, channel)
SELECT brand_id, id, 'marketing', 'withdrawn', at, 'restore' FROM withdrawn;

-- The same as contacts.erase does.
CREATE TEMPORARY TABLE again AS
SELECT c.id, f.erased_at FROM contact c JOIN forgotten f USING (id) WHERE c.erased_at IS NULL;
DELETE FROM answer WHERE contact_id IN (SELECT id FROM again);
SET LOCAL leadgen.erasing = 'on';
UPDATE consent SET evidence = evidence - ARRAY['ip', 'user_agent', 'page', 'email', 'source', 'note']
WHERE contact_id IN (SELECT id FROM again);
SET LOCAL leadgen.erasing = 'off';
UPDATE suppression s SET detail = '' FROM contact c
WHERE c.id IN (SELECT id FROM again) AND s.brand_id = c.brand_id AND s.address_hash = c.address_hash;
UPDATE fact SET data = data - 'note' WHERE data ? 'note' AND contact_id IN (SELECT id FROM again);
UPDATE contact c SET mailbox_key = NULL, email = NULL, address_hash = NULL, first_name = '', timezone = '', answers = '{}',
    marketing_at = NULL, last_inbound_at = NULL, erased_at = a.erased_at
FROM again a WHERE c.id = a.id;
UPDATE message SET status = 'cancelled' WHERE status = 'scheduled' AND contact_id IN (SELECT id FROM again);
COMMIT;
