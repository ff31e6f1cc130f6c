"""What is known of two tables on which the fairness of models is commonly judged, beside Adult?"""

from __future__ import annotations

from synthcohort.datasets.entry import CC_BY, UCI, Entry, RawFile, Source

BANK_MARKETING = Entry(
    name="bank_marketing",
    title="Bank Marketing (telephone campaign of a Portuguese bank)",
    publisher="UCI Machine Learning Repository (dataset 222)",
    homepage=f"{UCI}/dataset/222/bank+marketing",
    licence=CC_BY,
    citation="Moro, Cortez & Rita (2014), Decision Support Systems 62:22-31; data: doi:10.24432/C5K306",
    quirks=(
        "duration, the length of the last call, is known only once the client has answered: no model that decides whom "
        "to call may use it. It is kept since the published figures this table is compared with keep it.",
        "age_group is not in the file: 25 years or younger, or older, as the study of balanced synthesis derives it. "
        "age stays beside it, so a synthetic row can contradict itself.",
        "unknown is a level of its own (poutcome 36,959 rows, contact 13,020, education 1,857, job 288); pdays -1 "
        "means that the client was never contacted before.",
    ),
    files=(
        RawFile(
            "bank-full.csv",
            "d1513ec63b385506f7cfce9f2c5caa9fe99e7ba4e8c3fa264b3aaf0f849ed32d",
            4_610_348,
            (Source(f"{UCI}/ml/machine-learning-databases/00222/bank.zip", "bank-full.csv"),),
        ),
    ),
)

COMPAS = Entry(
    name="compas",
    title="COMPAS (re-offence within two years, Broward County)",
    publisher="ProPublica",
    homepage="https://github.com/propublica/compas-analysis",
    licence="none stated: not an open licence",
    citation="Angwin, Larson, Mattu & Kirchner (2016), Machine Bias, ProPublica; Larson et al. (2016)",
    quirks=(
        "The file names real people: names, birth dates, case numbers and all dates are not even read.",
        "Of 7,214 rows the 6,172 that pass the publisher's own filter are used: screened within 30 days of the arrest, "
        "with a charge and a score.",
        "Re-offence is recorded as arrest: it is what the police did as well as what the person did.",
        "decile_score and v_decile_score are the verdicts of the instrument under dispute; a model that uses them "
        "inherits its judgement.",
        "Eleven persons are Native American and 31 Asian: rates of groups so small say nothing, and are 0/0 on some "
        "splits.",
        "The table that the study of balanced synthesis calls COMPAS is another one, of about 16,644 rows and the "
        "label is_recid.",
    ),
    files=(
        RawFile(
            "compas-scores-two-years.csv",
            "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d",
            2_546_489,
            (
                Source(
                    "https://raw.githubusercontent.com/propublica/compas-analysis/"
                    "bafff5da3f2e45eca6c2d5055faad269defd135a/compas-scores-two-years.csv"
                ),
                Source(
                    "https://raw.githubusercontent.com/propublica/compas-analysis/master/compas-scores-two-years.csv"
                ),
            ),
        ),
    ),
)
