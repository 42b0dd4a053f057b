"""The page's tokenizer and the native one give the same tokens, for any text."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext
from tokenizers import Tokenizer

from offhand.native import NativeModel
from tests.web.driver import open_page

SEED = 20260101
COUNT = 1_000
PARTS = (
    "the kitchen lights", "Turn ", " off", "3", "42.50", "0071", "$1,000", "a\u0301",
    "e\u0308\u0323", "\U0001f642", "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e8\U0001f1ed", "日本語",
    "ﬁ", "Ωmega", "\u200b", "\u202e", "\ufeff", "\u00a0", "\t\t", "\n", "\n\n\n", "  ", "     ",
    "▁", "\\n", "{}", "},", "call:f{a:", "</td>", "<h1>", "<b>", "<", ">", "&amp;", "%20",
    "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unused40>", "<unused1>",
    "<escape>", "<start_function_call>", "<end_function_call", "[multimodal]", "<mask>",
    "<start_of_image>", "<0x0A>", "\x00", "\x7f", "ą", "ё", "한국", "עברית", "\U00010348",
)  # fmt: skip


def random_texts() -> list[str]:
    """Texts of a few parts each, with single characters of every plane in between."""
    chance = random.Random(SEED)
    texts = []
    for _ in range(COUNT):
        pieces = []
        for _ in range(chance.randint(1, 9)):
            if chance.random() < 0.7:
                pieces.append(chance.choice(PARTS))
            else:
                code = chance.choice((chance.randrange(0x20, 0x3000), chance.randrange(0x110000)))
                pieces.append(chr(code) if not 0xD800 <= code < 0xE000 else "?")
        texts.append("".join(pieces))
    return texts


ENCODE_ALL = """async ([library, source, texts]) => {
    const { TextTokenizer } = await import(new URL("app/tokenizer.js", location.href).href);
    const file = await (await fetch(new URL(source, location.href))).arrayBuffer();
    const address = new URL(library, location.href);
    const tokenizer = await TextTokenizer.open(address, new Uint8Array(file));
    return texts.map((text) => {
        const ids = Array.from(tokenizer.encode(text));
        return [ids, tokenizer.decode(ids)];
    });
}"""


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return random_texts()


def test_the_native_tokenizer_keeps_control_tokens_out(
    model: NativeModel, texts: list[str]
) -> None:
    for text in texts:
        ids = model.vocabulary.encode(text)
        assert not model.vocabulary.control_ids.intersection(ids), text
        assert model.vocabulary.decode(ids) == text.replace("▁", " ")


def test_the_page_tokenizes_alike(
    context: BrowserContext, site: str, dist_dir: Path, model_dir: Path, texts: list[str]
) -> None:
    manifest = json.loads((dist_dir / "manifest.json").read_text("utf-8"))
    source = next(f["path"] for f in manifest["files"] if "model/tokenizer" in f["path"])
    page = open_page(context, site, ready=False)
    answers = page.evaluate(ENCODE_ALL, [manifest["runtime"]["tokenizers"], source, texts])
    native = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    for text, (ids, decoded) in zip(texts, answers, strict=True):
        expected = native.encode(text, add_special_tokens=False).ids
        assert ids == expected, ascii(text)
        assert decoded == native.decode(expected, skip_special_tokens=False), ascii(text)
