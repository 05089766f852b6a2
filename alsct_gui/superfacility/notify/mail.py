"""Messages as e-mail, through a server of the facility."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from alsct_gui.model.message import Message
from alsct_gui.model.notify import Mail
from alsct_gui.superfacility.bounded import bounded
from alsct_gui.superfacility.errors import LinkDownError, NeedsPersonError, RefusedError

_TIMEOUT_S = 20.0
_AT_MOST_S = 60.0
_SUBJECT_CHARS = 150


class MailSender:
    """Sends e-mail.

    Parameters
    ----------
    mail
        Server, sender and recipients, from the profile.
    password
        Returns the account's password; None when none is stored.
    """

    def __init__(self, mail: Mail, password: Callable[[], str | None]) -> None:
        self._mail, self._password = mail, password

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return self._mail.name

    def send(self, message: Message) -> None:
        """Hand a message to the server.

        Raises
        ------
        LinkDownError
            The server does not answer, or not now.
        NeedsPersonError
            It does not accept the account.
        RefusedError
            It does not take the message, or offers no encryption though that is asked for.
        """
        bounded(lambda: self._hand_over(message), _AT_MOST_S, where=self._where)

    @property
    def _where(self) -> str:
        return f"notify: {self._mail.name}"

    def _hand_over(self, message: Message) -> None:
        mail = self._mail
        letter = letter_of(message, mail)
        try:
            with smtplib.SMTP(mail.host, mail.port, timeout=_TIMEOUT_S) as server:
                if mail.encrypt:
                    self._encrypt(server)
                if mail.user:
                    server.login(mail.user, self._secret())
                server.send_message(letter)
        except smtplib.SMTPAuthenticationError as error:
            raise NeedsPersonError(
                "the mail server does not accept the account", where=self._where,
                fix=f"Store its password: alsct agent secret notify-{mail.name}",
            ) from error  # fmt: skip
        except smtplib.SMTPNotSupportedError as error:
            raise RefusedError(
                "the mail server takes no accounts", where=self._where,
                fix="Leave user empty, or name another server",
            ) from error  # fmt: skip
        except smtplib.SMTPResponseException as error:
            raise self._judged(error.smtp_code) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise self._judged(max(code for code, _ in error.recipients.values())) from error
        except (OSError, smtplib.SMTPException) as error:
            raise LinkDownError(
                f"the mail server does not answer ({type(error).__name__})", where=self._where,
                fix="It is tried again by itself",
            ) from error  # fmt: skip

    def _encrypt(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if not server.has_extn("starttls"):
            raise RefusedError(
                "the mail server offers no encryption", where=self._where,
                fix="Name another port, or set encrypt to false for a server of this machine",
            )  # fmt: skip
        server.starttls(context=ssl.create_default_context())

    def _secret(self) -> str:
        secret = self._password()
        if secret is None:
            raise NeedsPersonError(
                "the password of the mail account is not stored", where=self._where,
                fix=f"Run alsct agent secret notify-{self._mail.name}",
            )  # fmt: skip
        return secret

    def _judged(self, code: int) -> LinkDownError | RefusedError:
        """Codes from 500 on are final, those from 400 on are not."""
        if code < 500:
            return LinkDownError(f"the mail server answers {code}", where=self._where)
        return RefusedError(
            f"the mail server answers {code}", where=self._where,
            fix="See whether sender and recipients are right",
        )  # fmt: skip


def letter_of(message: Message, mail: Mail) -> EmailMessage:
    """Write a letter. Lines of its head come from the profile and from `Message.title` alone."""
    letter = EmailMessage()
    subject = " ".join(message.title.split())[:_SUBJECT_CHARS]
    letter["Subject"] = f"[{mail.tag}] {subject}" if mail.tag else subject
    letter["From"] = mail.sender
    letter["To"] = ", ".join(mail.recipients)
    letter["Date"] = formatdate(message.time_s)
    letter["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2] or "localhost")
    letter["Auto-Submitted"] = "auto-generated"
    if message.grave:
        letter["Importance"] = "high"
    letter.set_content(message.text.encode("utf-8", "replace").decode() + "\n")
    return letter
