"""The catalogue of bad input: which test holds each of its cases, and that those tests stand with the rule's id.

F files, T texts, K keys, L logic, S sets. A case is listed under the test that asserts its verdict and rule id, in
whichever room it belongs to. Where the catalogue lies beside the repository (or VIVENCIA_CATALOGUE names it), the rules
here are held against it.
"""

import csv
import os
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES, VALUES, CSV = "ingest/test_files.py", "ingest/test_values.py", "ingest/test_csv.py"
BOOKS, PRIVACY, GROUPS = "ingest/test_workbooks.py", "ingest/test_privacy.py", "ingest/test_catalogue_groups.py"
MORE = "ingest/test_catalogue_files.py"
REFUSED = (FILES, "test_a_file_that_breaks_its_contract_is_refused")
UNREAD = (VALUES, "test_an_amount_that_cannot_be_read_or_be_a_sale_goes_to_quarantine")
NO_TIME = (VALUES, "test_a_time_that_is_none_goes_to_quarantine")
DECLARED = (VALUES, "test_times_must_be_declared")
NO_RECORD = (CSV, "test_a_line_that_is_no_record_goes_to_quarantine_with_its_line")
KEPT = (CSV, "test_what_is_quoted_is_kept")
KINDS = (FILES, "test_a_link_a_pipe_and_a_folder_are_no_files")

SETS = "measure/test_catalogue_sets.py"
NO_ANSWER = ("relate/test_not_estimable.py", "test_the_notebooks_give_the_reason_and_no_coefficient")

CASES: dict[str, tuple[str, tuple[str, str]]] = {  # id -> (rule, where; an accepted case has no rule)
    "F01": ("FILE-EMPTY", REFUSED), "F02": ("FILE-NOROWS", REFUSED),
    "F03": ("COL-MISSING", (FILES, "test_a_missing_column_is_named_with_those_present_and_the_nearest")),
    "F04": ("COL-MISSING", (FILES, "test_a_missing_column_is_named_with_those_present_and_the_nearest")),
    "F05": ("COL-EXTRA", (FILES, "test_columns_are_taken_by_name_and_unknown_ones_never_passed_on")),
    "F06": ("", (FILES, "test_columns_are_taken_by_name_and_unknown_ones_never_passed_on")),
    "F07": ("COL-DUP", REFUSED),
    "F08": ("COL-NORM", (FILES, "test_mark_sepline_and_header_spelling_are_repaired_and_counted")),
    "F09": ("FMT-DELIM", REFUSED),
    "F10": ("FMT-SEPLINE", (FILES, "test_mark_sepline_and_header_spelling_are_repaired_and_counted")),
    "F11": ("FMT-PREAMBLE", REFUSED),
    "F12": ("SRC-QUALTRICS-HDR", (FILES, "test_several_header_rows_are_consumed_even_with_line_ends_inside")),
    "F13": ("SRC-SM-HDR", (MORE, "test_a_header_of_two_rows_is_joined_where_names_are_blank")),
    "F14": ("ENC-BOM", (FILES, "test_mark_sepline_and_header_spelling_are_repaired_and_counted")),
    "F15": ("ENC-INVALID", (FILES, "test_windows_1252_is_read_only_where_it_is_declared")),
    "F16": ("ENC-UTF16", REFUSED),
    "F17": ("ENC-MOJIBAKE", (GROUPS, "test_wrongly_decoded_comments_are_warned_of_and_over_one_percent_quarantined")),
    "F18": ("ENC-INVALID", (FILES, "test_a_bad_byte_is_named_with_line_and_byte")),
    "F19": ("FMT-EOL", (CSV, "test_mixed_line_ends_are_repaired_and_counted")),
    "F20": ("", KEPT), "F21": ("FMT-QUOTE", NO_RECORD), "F22": ("FMT-WIDTH", NO_RECORD),
    "F23": ("FMT-WIDTH", NO_RECORD), "F24": ("FMT-NUL", REFUSED),
    "F25": ("FMT-BLANK", (CSV, "test_blank_lines_are_dropped_and_counted_and_lines_stay_right")),
    "F26": ("FMT-REHEADER", REFUSED),
    "F27": ("FMT-FOOTER", (MORE, "test_a_line_of_totals_as_wide_as_a_record_goes_to_quarantine")),
    "F28": ("FILE-TRUNC", REFUSED),
    "F29": ("FILE-TRUNC", (MORE, "test_a_file_cut_in_its_last_line_is_refused_where_the_tool_ends_it")),
    "F30": ("FILE-XLIMIT", (FILES, "test_a_full_sheet_is_warned_of")),
    "F31": ("TXT-XLIMIT", (MORE, "test_a_comment_as_long_as_a_cell_can_be_is_warned_of")),
    "F32": ("FMT-HUGE", (CSV, "test_a_field_above_the_limit_goes_to_quarantine")),
    "F33": ("FILE-SIZE", REFUSED), "F34": ("FMT-HTML", REFUSED), "F35": ("FMT-MAGIC", REFUSED),
    "F36": ("XLS-SHEET", (BOOKS, "test_the_sheet_must_be_named_where_there_are_several")),
    "F37": ("XLS-FORMULA", (BOOKS, "test_formulas_without_value_and_errors_go_to_quarantine")),
    "F38": ("XLS-DATE", (BOOKS, "test_a_serial_number_is_a_date_only_where_the_contract_says_so")),
    "F39": ("XLS-MACRO", (BOOKS, "test_macros_and_cut_workbooks_are_refused")),
    "F40": ("FILE-DUP", (FILES, "test_the_same_file_twice_is_refused_and_no_file_too")),
    "F41": ("FILE-NAME", (FILES, "test_a_pattern_may_not_leave_its_folder_and_names_are_plain")),
    "F42": ("FILE-KIND", KINDS), "F43": ("", KEPT),
    "T01": ("NPS-RANGE", (VALUES, "test_an_answer_that_cannot_be_one_goes_to_quarantine")),
    "T02": ("NPS-LABEL", (VALUES, "test_an_answer_written_otherwise_is_repaired_and_counted")),
    "T03": ("NPS-NUM", (VALUES, "test_an_answer_written_otherwise_is_repaired_and_counted")),
    "T04": ("CSAT-MAP", (VALUES, "test_the_direction_of_a_scale_is_kept_as_declared_and_must_be_declared")),
    "T05": ("CES-DIR", (VALUES, "test_the_direction_of_a_scale_is_kept_as_declared_and_must_be_declared")),
    "T06": ("SCALE-DRIFT", (GROUPS, "test_a_scale_that_changes_on_the_way_is_refused_at_its_first_line")),
    "T07": ("", (VALUES, "test_words_for_missing_are_those_declared_so_that_namibia_stays")),
    "T08": ("NUM-LOCALE", (VALUES, "test_a_point_without_a_declared_convention_refuses_the_file")),
    "T09": ("NUM-CURR", (VALUES, "test_an_amount_is_read_in_its_convention_and_kept_exact")),
    "T10": ("CUR-MIX", UNREAD),
    "T11": ("NUM-SIGN", (VALUES, "test_signs_are_read_wherever_they_stand_and_counted")),
    "T12": ("SALE-NEG", UNREAD), "T13": ("NUM-FINITE", UNREAD),
    "T14": ("DATE-FMT", DECLARED), "T15": ("DATE-FMT", NO_TIME), "T16": ("DATE-RANGE", NO_TIME),
    "T17": ("DATE-EPOCH", (VALUES, "test_an_epoch_in_another_unit_goes_to_quarantine")),
    "T18": ("TIME-GAP", NO_TIME),
    "T19": ("TIME-FOLD", (VALUES, "test_the_hour_that_comes_twice_is_taken_as_the_first_and_counted")),
    "T20": ("TIME-ZONE", DECLARED),
    "T21": ("", (VALUES, "test_ids_are_text_and_scientific_notation_goes_to_quarantine")),
    "T22": ("ID-PRECISION", (VALUES, "test_ids_are_text_and_scientific_notation_goes_to_quarantine")),
    "T23": ("", KEPT),
    "T24": ("TXT-CTRL", (VALUES, "test_control_characters_and_turned_text_are_taken_out_of_comments")),
    "T25": ("PII-TEXT", (PRIVACY, "test_redaction_is_counted_and_reaches_the_file")),
    "K01": ("KEY-DUP-SAME", (VALUES, "test_the_same_record_is_dropped_and_a_conflict_goes_to_quarantine")),
    "K02": ("KEY-DUP-CONFLICT", (VALUES, "test_the_same_record_is_dropped_and_a_conflict_goes_to_quarantine")),
    "K03": ("SURVEY-DUP", (GROUPS, "test_two_answers_for_one_order_go_to_quarantine_unless_the_last_one_counts")),
    "K04": ("SURVEY-MULTI", (GROUPS, "test_one_answer_for_two_orders_goes_to_quarantine")),
    "K05": ("KEY-NULL", (VALUES, "test_anonymous_rows_are_kept_and_counted")),
    "K06": ("KEY-NORM", (PRIVACY, "test_variants_of_one_id_meet_and_are_counted")),
    "K07": ("KEY-MERGE", ("link/test_identity.py", "test_a_chain_or_a_circle_of_mergers_is_refused")),
    "K08": ("KEY-ORPHAN", ("link/test_link_stage.py", "test_many_rows_of_unknown_customers_are_warned_of")),
    "K09": ("KEY-SHARED", ("link/test_link_stage.py",
                           "test_a_shared_id_is_warned_of_and_its_revenue_belongs_to_nobody")),
    "K10": ("ROW-TEST", (VALUES, "test_rows_left_out_by_contract_are_counted_under_their_rule")),
    "L02": ("TTR-REOPEN", (GROUPS, "test_a_ticket_solved_again_is_kept_with_both_facts_and_counted")),
    "L01": ("TTR-NEG", (VALUES, "test_order_of_times_within_a_record")),
    "L03": ("", (VALUES, "test_order_of_times_within_a_record")),
    "L04": ("SURVEY-EARLY", (VALUES, "test_order_of_times_within_a_record")),
    "L05": ("SURVEY-LATE", (GROUPS, "test_a_late_answer_is_kept_and_warned_of")),
    "L06": ("REFUND-EXCESS", (GROUPS, "test_returns_above_the_sale_or_without_one_go_to_quarantine")),
    "L07": ("DATE-FUTURE", (VALUES, "test_what_happened_after_the_last_day_of_the_data_goes_to_quarantine")),
    "L08": ("SUM-MISMATCH", (GROUPS, "test_lines_that_do_not_add_up_to_the_total_go_to_quarantine")),
    "L09": ("SURVEY-QUAL", (GROUPS, "test_careless_questionnaires_are_flagged_and_dropped_only_by_contract")),
    "L10": ("", (VALUES, "test_a_duration_across_the_change_of_clocks_is_that_of_utc")),
    "S01": ("SET-MISSING", (FILES, "test_the_same_file_twice_is_refused_and_no_file_too")),
    "S02": ("SET-OVERLAP", NO_ANSWER), "S03": ("SET-TINY", NO_ANSWER), "S04": ("FIT-CONST", NO_ANSWER),
    "S05": ("FIT-SEP", NO_ANSWER), "S06": ("FIT-ONECLASS", NO_ANSWER), "S07": ("FIT-RANK", NO_ANSWER),
    "S08": ("SET-SPAN", NO_ANSWER),
    "S09": ("SET-NONRESP", (SETS, "test_without_answers_from_most_the_rate_is_told_and_the_score_is_warned_of")),
    "S10": ("SDC-K", (SETS, "test_a_group_below_ten_is_suppressed_with_the_one_that_tells_it")),
    "S11": ("SET-DRIFT", ("report/test_drift.py", "test_the_stage_keeps_the_last_pages_until_the_drift_is_accepted")),
    "S12": ("SET-STALE", ("link/test_link_stage.py",
                          "test_an_export_that_ends_long_before_the_data_is_warned_of_as_stale")),
    "S13": ("SET-MISS", (SETS, "test_how_many_answered_in_each_group_stands_beside_its_figures")),
    "S14": ("FIT-N", ("relate/test_ppml.py", "test_rows_that_an_adjuster_separates_are_left_out_and_counted")),
}
ACCEPTED = {"T07", "T21", "T23", "L03", "L10"}  # accepted by design: the catalogue's id names the danger, not a verdict


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_case_has_its_test_and_the_test_its_rule(case: str):
    rule, (file, name) = CASES[case]
    text = (TESTS / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", text, re.MULTILINE), f"{file} holds no {name}"
    assert rule in text


def test_every_case_of_the_catalogue_is_listed_once():
    """43 files, 25 texts, 10 keys, 10 of logic, 14 sets: 102."""
    numbers = {"F": 43, "T": 25, "K": 10, "L": 10, "S": 14}
    assert CASES.keys() == {f"{kind}{n:02d}" for kind, count in numbers.items() for n in range(1, count + 1)}
    assert len(CASES) == 102


def test_the_rules_are_those_of_the_catalogue():
    """Skipped where no catalogue lies beside the repository."""
    beside = Path(__file__).parents[3] / "shared/data/reliability/bad-input-catalogue/catalogue.tsv"
    path = Path(os.environ.get("VIVENCIA_CATALOGUE", beside))
    if not path.exists():
        pytest.skip(f"no catalogue at {path}: the rules were not held against it")
    with open(path, encoding="utf-8", newline="") as handle:
        told = {row["id"]: row["rule_id"] for row in csv.DictReader(handle, delimiter="\t")}
    assert told.keys() == CASES.keys()
    other = {case: (CASES[case][0], rules) for case, rules in told.items()
             if CASES[case][0] not in rules.split(" / ") and not (rules == "-" and not CASES[case][0])}
    assert set(other) <= ACCEPTED, other
