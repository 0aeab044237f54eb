"""A sequence as YAML: shown, copied, downloaded, and pasted back in with what is wrong named by its line."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.authoring import drafts, exchange
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.nurture.definition import to_data
from leadgen.web.admin import sequence_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import StudioForm, lines, needed, sent
from leadgen.web.admin.notes import tell
from leadgen.web.admin.sequence_edit import standing
from leadgen.web.admin.sequence_step import revision_shown, save_draft
from leadgen.web.admin.sequences import sequence_of_mine
from leadgen.web.guards import Guard, guarded_by

LONGEST = 400_000  # characters


class YamlForm(StudioForm):
    """The whole sequence as text."""

    text = lines(needed, longest=LONGEST)


@blueprint.route("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/yaml", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def sequence_yaml(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Show it as YAML, and take YAML in as the draft; what cannot be read stays as it was pasted."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    kept = exchange.to_yaml(drafts.definition_of(found))
    form = YamlForm(sent(), data={"text": kept})
    if request.method == "POST" and form.validate():
        try:
            save_draft(found, to_data(exchange.from_yaml(form.text.data)), form)
        except Invalid as error:
            form.blame(Invalid(str(error), "text"))
        if not form.is_wrong:
            tell(_("This is the draft now. Nothing changes for anybody before you publish it."))
            return redirect(sequence_words.page(found), 303)
    shown = standing(campaign, found)
    html = render_template(
        "admin/sequence_yaml.html", **shown, form=form, kept=kept, revision=revision_shown(found, form)
    )
    return make_response(html, 422 if form.is_wrong else 200)


@blueprint.get("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/yaml/file")
@guarded_by(Guard.STAFF)
def sequence_yaml_file(campaign_id: int, sequence_id: int) -> Response:
    """The same text as a file."""
    _campaign, found = sequence_of_mine(campaign_id, sequence_id)
    answer = Response(exchange.to_yaml(drafts.definition_of(found)), content_type="application/yaml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="sequence-{found.id}.yaml"'
    return answer
