"""Forms, as visitors see them: a page that visitors fill in and send, and the same for programs as
JSON."""

from typing import Annotated
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field, ValidationError, WithJsonSchema

from api_stub.deps import Body, Sealing, Using
from api_stub.error_responses import document_errors
from api_stub.http_errors import (
    BodyTooLarge,
    InvalidPayload,
    RequestTimeout,
    WrongContentType,
    convert_findings,
)
from api_stub.intake.html_errors import (
    TYPED,
    ForVisitors,
    answer_preflight,
    find_address,
    is_person,
)
from api_stub.intake.pages import (
    STYLE,
    TOKEN,
    TRAP,
    BlankForm,
    make_page_headers,
    render_form,
    render_thanks,
)
from api_stub.limits import RateLimit, get_form_rate_limit
from worker.domain.intake.forms import PATH, Form
from worker.domain.intake.submissions import find_unknown
from worker.errors.intake import TokenExpired, TokenUsed, TooManySubmissions, TooSoon, UnknownForm
from worker.errors.records import IncorrectPayload
from worker.flows.intake import submissions
from worker.flows.intake.submissions import TOKEN_SECONDS, Submission
from worker.secret_box import SecretBox

MOST_BYTES = 64 * 1024
MOST_NAMES = 200

STYLE_SECONDS = 365 * 24 * 3600

LATE = "This page was open for a long time. Please check what you have entered, and send it."
QUICK = "That was quick. Please check what you have entered, and send it once more."
OTHER = "You have sent this form before. To send it as it is now, too, press Send once more."

router = APIRouter(prefix=PATH, tags=["forms"], route_class=ForVisitors)

Slug = Annotated[
    str,
    Path(description="The last part of the form's address."),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9-]+$"}),
]


class FormPayload(Body):
    """A submission of a program."""

    fields: dict[str, object] = Field(
        description="Values by the names of the form's fields.",
        examples=[{"last_name": "Lee", "email": "ann@example.com"}],
    )
    token: str = Field(description="The form token, which `GET /forms/{slug}/token` gives.")


class StoredLead(BaseModel):
    """A lead that was stored."""

    lead: int = Field(description="Its id.")


class FormToken(BaseModel):
    """A form token. It is good for one lead."""

    token: str
    seconds: int = Field(description="For how long it is good.")


# --- dependencies ---


async def read_body(request: Request) -> bytes:
    """The body. It also keeps the visitor's values with the request, so that an error page can show
    them."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (TYPED, "application/json"):
        raise WrongContentType(expected=f"{TYPED} or application/json")
    if kind == TYPED:
        request.state.typed = _parse(body)
    return body


def _parse(body: bytes) -> dict[str, str]:
    try:
        return dict(
            parse_qsl(
                body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_NAMES
            )
        )
    except ValueError:
        raise InvalidPayload(reason=f"it has more than {MOST_NAMES} fields") from None


def find_form(request: Request, system: Using, slug: Slug) -> Form:
    """The form with the slug of the path. Raises UnknownForm."""
    with system.reading() as unit:
        form = submissions.find_open_form(unit, slug)
    request.state.form = form
    return form


def count_submission(
    request: Request, form: "Here", limit: Annotated[RateLimit, Depends(get_form_rate_limit)]
) -> Form:
    """Counts a submission of the sender's address, and gives the form. Raises
    TooManySubmissions."""
    standing = limit.hit("form", form.id, find_address(request))
    request.state.standing = standing
    if standing is not None and standing.exceeded:
        raise TooManySubmissions(limit=standing.limit, seconds=standing.seconds)
    return form


Here = Annotated[Form, Depends(find_form)]
Typed = Annotated[bytes, Depends(read_body)]
Counted = Annotated[Form, Depends(count_submission)]


# --- endpoints ---


@router.get("/form.css", include_in_schema=False)
def send_style() -> Response:
    """The style sheet. Its address changes when it does."""
    headers = {
        "Cache-Control": f"public, max-age={STYLE_SECONDS}, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(STYLE, media_type="text/css", headers=headers)


@router.get("/{slug}", include_in_schema=False)
def show_form(form: Here, sealing: Sealing) -> Response:
    """The form, ready to fill in."""
    return render_form(BlankForm(form, submissions.make_token(sealing, form)))


@router.options("/{slug}", include_in_schema=False)
@router.options("/{slug}/token", include_in_schema=False)
def check_origin(request: Request, _: Here) -> Response:
    """Whether another's page may send the form."""
    return answer_preflight(request)


@router.get(
    "/{slug}/token",
    name="form_token",
    summary="Get a form token",
    responses=document_errors(UnknownForm),
)
def get_form_token(form: Here, sealing: Sealing, response: Response) -> FormToken:
    """A token to send a submission with, from a script on a page of one of the form's allowed
    origins, or from any other program."""
    response.headers["Cache-Control"] = "no-store"
    return FormToken(token=submissions.make_token(sealing, form), seconds=TOKEN_SECONDS)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": FormPayload.model_json_schema()}},
    },
}


@router.post(
    "/{slug}",
    summary="Send a form",
    status_code=202,
    response_model=StoredLead,
    openapi_extra=_BODY,
    responses=document_errors(
        UnknownForm,
        TokenExpired,
        TooSoon,
        IncorrectPayload,
        TokenUsed,
        TooManySubmissions,
        InvalidPayload,
        WrongContentType,
        BodyTooLarge,
        RequestTimeout,
    ),
)
def send_form(
    request: Request, system: Using, sealing: Sealing, body: Typed, form: Counted
) -> Response | dict[str, int | None]:
    """The lead is stored when this answers, and is never lost from then on. The same token brings
    in one lead, however often it is sent. The answer to a form in HTML is a page."""
    if is_person(request):
        return _answer_a_person(request.state.typed, system, sealing, form)
    return {"lead": submissions.submit(system, sealing, form, _read_payload(form, body))}


def _read_payload(form: Form, body: bytes) -> Submission:
    """The submission of a program. Raises InvalidPayload, IncorrectPayload."""
    try:
        sent = FormPayload.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise InvalidPayload(reason="it is no JSON") from None
    except ValidationError as error:
        located = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        status, faults = convert_findings(located)
        if status == IncorrectPayload.status:
            raise IncorrectPayload.of("form", faults) from None
        raise InvalidPayload(reason="no JSON object") from None
    if faults := find_unknown(form.fields, sent.fields):
        raise IncorrectPayload.of("form", faults)
    return Submission(sent.fields, sent.token)


def _answer_a_person(
    typed: dict[str, str], system: Using, sealing: SecretBox, form: Form
) -> Response:
    """The page of thanks, or the form once more with all that was typed."""
    token = typed.get(TOKEN, "")
    try:
        submissions.submit(system, sealing, form, Submission(typed, token, typed.get(TRAP, "")))
    except IncorrectPayload as error:
        return render_form(BlankForm(form, token, typed, error.faults), error.status)
    except TooSoon as error:
        return render_form(BlankForm(form, token, typed, notice=QUICK), error.status)
    except (TokenExpired, TokenUsed) as error:
        words = LATE if isinstance(error, TokenExpired) else OTHER
        again = BlankForm(form, submissions.make_token(sealing, form), typed, notice=words)
        return render_form(again, error.status)
    if form.redirect_url:
        return RedirectResponse(form.redirect_url, 303, make_page_headers(form))
    return render_thanks(form)
