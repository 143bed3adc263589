#!/usr/bin/env python3
"""Makes crates/synap-models/data/static.safetensors: for each English stem where a query that has it points.

    scripts/static.py FOLDER

Needed only to change the table. FOLDER and Python have what scripts/related.py names. It takes about six minutes on two
cores. The sum of the vectors of a query's stems stands for the vector that the sentence encoder would give it, in the same
space: a fast fetch compares it with the vectors of stored passages without asking a model.

1. Vocabulary: the stems of GloVe's words, the 24,000 most frequent ones.
2. Texts: WordNet's definitions and examples, and questions and statements made of WordNet's words by the patterns below.
   The encoder says where each points.
3. A stem begins as the encoder's vector of its commonest word alone, less the mean of all, weighed by rarity (SIF). From
   there on stochastic gradient descent (Adagrad) has each text's sum of stems tell the texts of its batch apart as the
   encoder's vector does: softmax over cosines, at a temperature of 0.1, and a little of the cosine itself. Every other batch
   is of texts that are near each other.
4. Four bits a number: -7 to 7, seven at 2.7 standard deviations of the stem's numbers.

Floats differ a little between machines, so a new table is a new table: compare `synap eval` before and after."""

import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from related import STOP, WORD, encode, stems
from safetensors.numpy import save_file

WORDS, DIMENSIONS = 24_000, 384
QUESTIONS, BATCH, STEPS, RATE, TEMPERATURE, COSINE = 80_000, 1_024, 500, 0.03, 0.1, 0.5
CLUSTERS, CLUSTERS_EACH, RARE = 400, 8, 1e-3
LEVELS, DEVIATIONS = 7, 2.7

NAMES = (
    "Alice Bob Carol Maria John James Sarah Emma Liam Noah Olivia Ava Kate Peter Paul Anna Lena Tom Nick Julia Mark Laura "
    "Daniel David Susan Karen Ben Sam Alex Chris Priya Wei Omar Fatima Yuki Carlos Sofia Ivan Nina Elena Hugo Ruth Grace Leo"
).split()
# n a noun, v a verb, w a verb of the third person, a an adjective, p a name.
PATTERNS = """
What is {n}? | What are {n} and {n}? | Who is responsible for {n}? | When did {p} {v} the {n}? | {n} {n} | {a} {n}
Where does {p} keep the {n}? | How do I {v} a {n}? | What does {p} think about {n}? | What {n} did {p} {v}? | {a} {n} {n}
Why did {p} {v}? | How many {n} does {p} have? | How long does the {n} take? | What kind of {n} does {p} like? | {v} {n}
Which {n} is {a}? | What happens when the {n} is {a}? | Is it allowed to {v} {n}? | Does the {n} {v} {n}? | {v} {a} {n}
What is the policy on {n}? | What is {p}'s favorite {n}? | How can I get a {a} {n}? | Who should I ask about {n}?
When is the {n}? | What did {p} do after the {n}? | What are {p}'s plans for the {n}? | What did {p} and {p} talk about?
How did {p} feel about the {n}? | Can I {v} my {n}? | What is the relation between {n} and {n}? | {n} increases {n}.
{a} {n} reduces the risk of {n}. | {n} is associated with {n} in {n}. | The {n} {w} {n}. | I {v} {n} because it is {a}.
I love {n} and {n}. | My {n} is {a}. | We should {v} the {n} next week. | {p} has a {a} {n}. | Where can I find the {n}?
what should we do if {n} {w} {n} | How much does the {n} cost? | What is the name of the {a} {n}? | how often does {p} {v}
What was the {n} of the {n} in the {n}? | When was the last time {p} went to the {n}? | what is the process for {n}
Would {p} {v} a {n}? | What might {p} {v} next? | Do we have a {n} for {n}? | In what year did the {n} {v}?
"""


def wordnet(folder):
    """Words by part of speech, and definitions with and without the words that they define, and examples."""
    words, texts, chance = {}, [], random.Random(7)
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text().splitlines():
            if line.startswith("  "):
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            names = [re.sub(r"\(.*?\)", "", fields[4 + 2 * i]).replace("_", " ") for i in range(int(fields[3], 16))]
            words.setdefault(part, set()).update(name for name in names if re.fullmatch(r"[a-z]+( [a-z]+)?", name))
            definition = re.sub(r';?\s*"[^"]*"', "", gloss).strip()
            texts += [f"{', '.join(names)}: {definition}"] if chance.random() < 0.4 else []
            texts += [definition] if chance.random() < 0.3 else []
            texts += [example for example in re.findall(r'"([^"]+)"', gloss) if len(example) > 12]
    return words, texts


def questions(words, seen):
    """Texts by the patterns; frequent words more often."""
    chance = random.Random(11)
    patterns = [one.strip() for one in re.split(r"[|\n]", PATTERNS) if one.strip()]

    def pool(part):
        known = sorted(words[part])
        weights = [(seen[word] + 1) ** 0.6 for word in known]
        return chance.choices(known, weights=weights, k=2 * QUESTIONS)

    def third(verb):
        first, *rest = verb.split()
        return " ".join([first + ("es" if first[-1] in "sxzoh" else "s"), *rest])

    nouns, verbs, adjectives = (pool(part) for part in ("noun", "verb", "adj"))
    fill = {
        "n": lambda: chance.choice(nouns),
        "v": lambda: chance.choice(verbs),
        "w": lambda: third(chance.choice(verbs)),
        "a": lambda: chance.choice(adjectives),
        "p": lambda: chance.choice(NAMES),
    }
    made = (re.sub(r"\{(\w)\}", lambda slot: fill[slot[1]](), chance.choice(patterns)) for _ in range(QUESTIONS))
    return list(made)


def vocabulary(path):
    """The most frequent stems, in order, with the commonest word of each and that word's rank."""
    found = {}
    for rank, word in enumerate(json.loads(path.read_text())["words"]):
        if re.fullmatch(r"[a-z][a-z']{1,24}|[0-9]{1,4}|[a-z0-9]{2,12}", word) and word not in STOP:
            for stem in stems(word):
                found.setdefault(stem, (word, rank))
        if len(found) >= WORDS:
            break
    return found


def counted(texts, number):
    """How often each text has each stem."""
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        for stem, count in Counter(stem for stem in stems(text) if stem in number).items():
            rows.append(row)
            columns.append(number[stem])
            values.append(count)
    return sparse.csr_matrix((values, (rows, columns)), (len(texts), len(number)), np.float32)


def clusters(targets, chance):
    """Numbers of texts that are near each other."""
    centres = targets[chance.choice(len(targets), CLUSTERS, replace=False)]
    for _ in range(4):
        nearest = np.concatenate([(part @ centres.T).argmax(1) for part in np.array_split(targets, 20)])
        for at in np.unique(nearest):
            mean = targets[nearest == at].mean(0)
            centres[at] = mean / np.linalg.norm(mean)
    members = [np.where(nearest == at)[0] for at in range(CLUSTERS)]
    return [one for one in members if len(one) >= BATCH // CLUSTERS_EACH]


def shares(cosines):
    shifted = np.exp((cosines - cosines.max(1, keepdims=True)) / TEMPERATURE)
    return shifted / shifted.sum(1, keepdims=True)


def fitted(table, counts, targets):
    chance = np.random.default_rng(5)
    near = clusters(targets, chance)
    seen = np.full(len(table), 1e-3, np.float32)
    for step in range(STEPS):
        if step % 2:
            groups = chance.choice(len(near), CLUSTERS_EACH, replace=False)
            batch = np.concatenate([chance.choice(near[at], BATCH // CLUSTERS_EACH, replace=False) for at in groups])
        else:
            batch = chance.choice(len(targets), BATCH, replace=False)
        own, wanted = counts[batch], targets[batch]
        sums = own @ table
        length = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9
        found = sums / length
        slope = (shares(found @ wanted.T) - shares(wanted @ wanted.T)) @ wanted - COSINE * wanted
        slope = (slope - found * (found * slope).sum(1, keepdims=True)) / length
        used = np.unique(own.indices)
        slope = (own.T.tocsr() @ slope)[used]
        seen[used] += (slope * slope).mean(1)
        rate = RATE * (1 - step / STEPS) + 1e-4
        table[used] -= rate * slope / np.sqrt(seen[used])[:, None]
        if step % 100 == 0:
            print(f"step {step} of {STEPS}: cosine {(found * wanted).sum(1).mean():.3f}", file=sys.stderr)
    return table


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    known = vocabulary(folder / "glove.json")
    number = {stem: at for at, stem in enumerate(sorted(known))}
    words, texts = wordnet(folder / "wordnet")
    texts += questions(words, Counter(WORD.findall(" ".join(texts).lower())))
    texts = sorted(set(texts))
    counts = counted(texts, number)
    told = np.asarray(counts.sum(1)).ravel() > 0
    texts = [text for text, so in zip(texts, told, strict=True) if so]
    table = encode([known[stem][0] for stem in number], folder / "minilm")
    table -= table.mean(0)
    # The share that the word of a rank has of all words, by Zipf's law.
    usual = np.array([1 / (known[stem][1] + 10) for stem in number], np.float32) / 11
    table *= (RARE / (RARE + usual))[:, None]
    table = fitted(table, counts[told], encode(texts, folder / "minilm"))
    scales = table.std(1) * DEVIATIONS / LEVELS
    levels = np.clip(np.round(table / scales[:, None]), -LEVELS, LEVELS).astype(np.int8) + 8
    rows = (levels[:, 0::2] | levels[:, 1::2] << 4).astype(np.uint8)
    stems_text = np.frombuffer("\n".join(number).encode(), np.uint8)
    target = Path(__file__).parent.parent / "crates/synap-models/data/static.safetensors"
    target.parent.mkdir(exist_ok=True)
    save_file({"stems": stems_text, "scales": scales.astype(np.float32), "rows": rows}, target)
    print(f"{len(number)} stems from {len(texts)} texts in {target}")


if __name__ == "__main__":
    main()
