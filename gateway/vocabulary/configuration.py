"""Mistakes in the files of a configuration."""

from __future__ import annotations

from typing import Final

from gateway.vocabulary.code import Code, Entry

CONFIGURATION: Final = (
    Entry(
        Code.FILE_MISSING,
        "a file or folder is missing",
        "The configuration folder, gateway.yaml or the folder `connections` is not where it is looked for.",
        "Name the folder on the command line, or copy the example that the message names.",
    ),
    Entry(
        Code.FILE_UNREADABLE,
        "a file cannot be read",
        "Its owner or mode does not let the gateway read it, it is a link to nowhere, a folder or a device, it is "
        "larger than any configuration, or it vanished while it was read.",
        "`ls -l FILE` shows owner and mode; the service runs as the user edge-gateway.",
    ),
    Entry(
        Code.NOT_TEXT,
        "a file is not UTF-8 text",
        "An editor saved it in another encoding, an invisible character was pasted into it, or it is no text at all.",
        "Save it as UTF-8; where a line and column are named, delete the character there and type it again.",
    ),
    Entry(
        Code.FILE_NOT_USED,
        "a file stands there and is not used",
        "Its ending is not the one that is read, or nothing names it.",
        "Rename it as the message says, name it where it belongs, or delete it.",
    ),
    Entry(
        Code.NOT_YAML,
        "the file is not YAML from here on",
        "A bracket or quote is not closed, a comma is missing, a line is indented differently from its neighbours, or "
        "text with a special character stands without quotes.",
        "Look at the named line and the one before it. Put text with : # { } [ ] , into quotes.",
    ),
    Entry(
        Code.TAB,
        "a tab indents a line",
        "YAML knows only spaces at the beginning of a line; a tab looks the same on the screen.",
        "Replace it by spaces. Most editors can do so by themselves for files that end in .yaml.",
    ),
    Entry(
        Code.KEY_TWICE,
        "a key stands twice in its group",
        "YAML itself would silently take the second; a device or tag would be gone.",
        "Delete or rename one of the two; the message names both lines.",
    ),
    Entry(
        Code.DOUBTFUL_WORD,
        "a word means different things to different readers",
        "`no`, `on`, `08`, `12:30`, `1_000` are truth values, numbers or text, depending on who reads them.",
        "Write true or false, write the number plainly, or put the text in quotes.",
    ),
    Entry(
        Code.NO_VALUE,
        "a key has no value",
        "Nothing stands behind its colon, or what belongs to it is not indented deeper.",
        "Write the value, indent what belongs to the key, or delete the key.",
    ),
    Entry(
        Code.YAML_EXTRA,
        "a part of YAML that these files do without",
        "Anchors, aliases, tags and merge keys make a file say something else than what stands there.",
        "Write the values out; put text that begins with & * ! into quotes.",
    ),
    Entry(
        Code.COLON,
        "a colon or a space is missing or too many",
        "A key ends with a colon and a space. A second colon in the line belongs to text, which then needs quotes.",
        'Write `key: value`, or `key: "text: more text"`.',
    ),
    Entry(
        Code.UNKNOWN_KEY,
        "a key is not known here",
        "It is mistyped, or it belongs to another group. An unknown key is never ignored: a mistyped one would be.",
        "Take the name that the message suggests; the reference in config/README.md lists all keys.",
    ),
    Entry(
        Code.MISSING_KEY,
        "a key is missing",
        "Something cannot be guessed, such as the address of a tag.",
        "Add the key to the group that the message names.",
    ),
    Entry(
        Code.WRONG_TYPE,
        "a value is of the wrong kind",
        "A number stands where text is wanted, or the other way round; quotes make any value text.",
        "Follow the hint: add or remove quotes, write a list in brackets.",
    ),
    Entry(
        Code.OUT_OF_LIMITS,
        "a number is out of its limits",
        "The protocol or the gateway cannot use it. Units stand in the key: _s is seconds, _ms milliseconds.",
        "Write a number within the limits that the message names.",
    ),
    Entry(
        Code.NO_CHOICE,
        "a value is not one of the choices",
        "Only the listed words are understood.",
        "Write one of them, as it is spelt in the message.",
    ),
    Entry(
        Code.BAD_NAME,
        "a name cannot be used",
        "Names become levels of topics: letters, digits, _ and -, at most 63, and none that the gateway uses itself.",
        "Choose another name; `description` takes any text.",
    ),
    Entry(
        Code.BAD_FORM,
        "a value is not of the right form",
        "An address, host, URL or the like cannot be read, or does not fit what stands beside it.",
        "The message says what was expected; the page of the driver shows examples.",
    ),
    Entry(
        Code.WRONG_COUNT,
        "too few or too many entries or characters",
        "A list, a group or a text has a fixed or a limited length.",
        "Add or remove entries as the message says.",
    ),
    Entry(
        Code.TAKEN_TWICE,
        "two want the same",
        "A device name, an end point, a serial port or a pin stands in two files. It can have only one owner.",
        "Put what is behind one cable into one file, and give each device a name of its own.",
    ),
    Entry(
        Code.CONTRADICTION,
        "settings of a tag contradict each other",
        "Limits stand the wrong way round, or a setting would make all values the same.",
        "Change one of them as the message says.",
    ),
    Entry(
        Code.NO_EFFECT,
        "a setting has no effect",
        "The type of the tag, or another setting, leaves nothing for it to do.",
        "Delete it, so that nobody believes in it.",
    ),
    Entry(
        Code.DOUBTFUL_SETTING,
        "a setting is allowed and probably not meant",
        "What stands there is a well-known trap of this protocol.",
        "Follow the hint, or leave it where it is meant so.",
    ),
    Entry(
        Code.PLAIN_SECRET,
        "a secret stands in a file that is copied around",
        "Passwords in configuration files end up in backups, mails and tickets.",
        "Write {secret: NAME} and put the secret into secrets/NAME, mode 0600, or into a systemd credential.",
    ),
    Entry(
        Code.NO_SECRET,
        "a secret cannot be had",
        "There is neither a systemd credential nor a file of its name, or others may read the file.",
        "Create secrets/NAME beside gateway.yaml, then `chmod 600` and `chown` it to the user of the gateway.",
    ),
    Entry(
        Code.NO_CERTIFICATE,
        "a certificate or key cannot be used",
        "The file is missing, is not PEM, or does not fit the other one.",
        "`openssl x509 -in FILE -noout -subject -dates` shows what a certificate is.",
    ),
    Entry(
        Code.NO_DRIVER,
        "no such driver",
        "The key `driver` is missing or names none that is installed.",
        "Write one of those that the message names.",
    ),
    Entry(
        Code.DRIVER_DEFECT,
        "a driver failed while it looked at its file",
        "That is an error of the driver, not of the file; other connections are not harmed.",
        "Report it to the author of the driver, with the file and the message.",
    ),
    Entry(
        Code.TABLE,
        "a table of tags cannot be used",
        "The CSV file that a device names is missing, empty, or a quote in it is not closed.",
        "Save it beside the connection file as CSV, UTF-8; its first row names the columns.",
    ),
    Entry(
        Code.TABLE_COLUMN,
        "a column of a table is not known, missing or there twice",
        "The first row of a table holds the names of keys, with `name` for the name of the tag.",
        "Correct the first row. Remarks go into columns whose name begins with #.",
    ),
    Entry(
        Code.TABLE_ROW,
        "a row of a table has no name, or one that is taken",
        "Each row is one tag, and the column `name` names it.",
        "Fill in or change the name. Remarks go into rows that begin with #.",
    ),
    Entry(
        Code.TABLE_NUMBER,
        "a number in a table can be read in two ways",
        "1.250 is one and a quarter in one country and 1250 in another; a factor of 1000 is not guessed.",
        "Write the number without a sign for thousands.",
    ),
    Entry(
        Code.PROFILE,
        "a profile, or what a device takes from it, does not fit",
        "There is no profile, tag, group or parameter of this name, or the profile is for another driver.",
        "`profile`, `pick` and `parameters` of the device take the names that stand in the profile's file.",
    ),
    Entry(
        Code.PROCESSING,
        "scaling, units, limits or reporting of a tag do not fit together",
        "A unit is unknown or of another dimension, or two settings exclude each other.",
        "The message names both; the chapter on processing explains each with an example.",
    ),
    Entry(
        Code.STATES,
        "texts, bits or alarms of a tag do not fit its values",
        "A number, text or limit cannot occur, occurs twice, or lies on the wrong side of another.",
        "The message names the entry.",
    ),
    Entry(
        Code.DERIVED,
        "a calculated tag cannot be calculated",
        "Its expression cannot be read, names a tag that is not there or itself, or its window does not fit.",
        "The message names the place in the expression, or the chain of tags.",
    ),
    Entry(
        Code.TEMPLATE,
        "a template cannot be used",
        "The template of a topic or payload is not valid, or uses a name that a message does not have.",
        "The message names the line; the chapter on templates lists the names.",
    ),
)
"""In the order of the codes."""
