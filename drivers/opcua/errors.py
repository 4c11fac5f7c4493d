"""What this driver tells with codes of its own: certificates, policies, users."""

from __future__ import annotations

from typing import Final

from gateway.vocabulary import Entry

UNTRUSTED: Final = "E-UA-001"
EXPIRED: Final = "E-UA-002"
NOT_YET_VALID: Final = "E-UA-003"
WRONG_NAME: Final = "E-UA-004"
REVOKED: Final = "E-UA-005"
NO_POLICY: Final = "E-UA-006"
NO_LOGIN: Final = "E-UA-007"
OWN_FILES: Final = "E-UA-008"
NOT_TRUSTED_THERE: Final = "E-UA-009"

ERRORS: Final = (
    Entry(
        UNTRUSTED,
        "the certificate of an OPC UA server is not trusted",
        "It is the first connection, the server has a new certificate, or another machine answers in its place. "
        "Nothing was read; the certificate lies in the folder rejected.",
        "Compare the thumbprint with the one in the server's engineering tool; if it is the same, run the command that "
        "the message names. If nobody changed the server, find out who answers.",
    ),
    Entry(
        EXPIRED,
        "the certificate of an OPC UA server has run out",
        "It was valid until the day that the message names, or the gateway's clock is ahead.",
        "Give the server a new certificate and trust it; look at `date` first.",
    ),
    Entry(
        NOT_YET_VALID,
        "the certificate of an OPC UA server is not valid yet",
        "Nearly always a clock is wrong: the gateway's stands in the past, or the server's stood in the future when "
        "it made its certificate.",
        "Look at the clock: run `date` and `timedatectl`, give the gateway a time server or a clock module.",
    ),
    Entry(
        WRONG_NAME,
        "the certificate of an OPC UA server was made for another one",
        "It does not name the host in url, or names another ApplicationUri than the server tells.",
        "Write the name in the certificate into url; where that cannot be, into `server_name` of `security`. For the "
        "ApplicationUri let the server make its certificate anew.",
    ),
    Entry(
        REVOKED,
        "the certificate of an OPC UA server has been revoked",
        "The authority that signed it has put it on its revocation list, usually since its key was lost or stolen.",
        "Ask who runs the authority; give the server a new certificate.",
    ),
    Entry(
        NO_POLICY,
        "an OPC UA server lacks the security that is asked of it",
        "None of its end points has this policy and mode.",
        "Switch one on at the server, or write into `security` one of those that the message lists.",
    ),
    Entry(
        NO_LOGIN,
        "an OPC UA server does not let this user in",
        "User or password is wrong, the user may not connect, or the server wants a user and none is given.",
        "Compare `username` with the server's list of users and write the password anew into `password_file`.",
    ),
    Entry(
        OWN_FILES,
        "a certificate, key or password of the gateway cannot be used",
        "A file is missing, damaged, may be read by others, or its folder cannot be written.",
        "Look at the file that the message names; the gateway makes a missing certificate of its own by itself.",
    ),
    Entry(
        NOT_TRUSTED_THERE,
        "an OPC UA server does not trust the gateway",
        "It does not know the gateway's certificate, or finds it run out.",
        "Move the gateway's certificate from rejected to trusted in the server's own list, or copy the file that the "
        "message names to it; `edge-gateway opcua certs` shows it.",
    ),
)
