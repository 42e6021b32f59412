//! What is tried against what is promised: the one declaration behind `docs/reliability.md`.
//!
//! It is long because it is one table, row after row.

use std::fmt::Write as _;

use crate::suite::groups;

/// One-byte mutations of valid files in `make test`.
pub const MUTATIONS: u64 = 5_000;

/// Generated cases, and pairs of files that say the same, in `make test`.
pub const GENERATED: u64 = 1_000;

/// Runs that are killed in `make test`.
pub const KILLS: u64 = 20;

/// Runs that are asked to end by a signal, always.
pub const SIGNALS: u64 = 15;

/// Runs that lose their power in `make test`.
pub const POWER_LOSSES: u64 = 0;

/// Kinds of input whose growth is counted in `make test-all`.
pub const GROWTH: usize = 164;

/// Scenarios in which the engine crashes and fails at every call.
pub const SCENARIOS: usize = 14;

/// A promise of `docs/semantics.md`, and what is tried against it.
pub struct Promise {
    /// The numbers of its rules.
    pub rules: &'static [&'static str],
    /// What is promised.
    pub text: &'static str,
    /// What is tried.
    pub faults: &'static [Fault],
}

/// A way to break a promise, and the test that tries it.
pub struct Fault {
    /// What is done.
    pub what: &'static str,
    /// How often.
    pub count: Count,
    /// The crate below `crates` that holds the test.
    pub place: &'static str,
    /// The binary of the test.
    pub binary: &'static str,
    /// The test.
    pub test: &'static str,
}

/// How often a fault is tried.
pub enum Count {
    /// As often as these words say.
    Words(&'static str),
    /// Once for each case of a group of the conformance suite.
    Cases(&'static str),
    /// So often in `make test`, and so often in `make test-all`.
    Sweep(u64, u64),
}

const fn fault(
    what: &'static str,
    count: Count,
    place: &'static str,
    binary: &'static str,
    test: &'static str,
) -> Fault {
    Fault { what, count, place, binary, test }
}

const fn hostile(what: &'static str, count: &'static str, test: &'static str) -> Fault {
    fault(what, Count::Words(count), "cli", "hostile", test)
}

const fn group(what: &'static str, group: &'static str, test: &'static str) -> Fault {
    fault(what, Count::Cases(group), "testkit", "conformance", test)
}

/// All promises that something is tried against.
pub const PROMISES: &[Promise] = &[
    Promise {
        rules: &["1.1"],
        text: "Sources are found, read once, and not changed meanwhile",
        faults: &[
            hostile(
                "a file or directory without permission, as another user",
                "3 kinds",
                "a_directory_that_may_not_be_listed_or_searched_is_named",
            ),
            hostile(
                "links, loops, hard links, dangling links",
                "6 links",
                "links_loops_and_the_same_file_by_two_paths",
            ),
            hostile(
                "links that cross, below a directory and in globs",
                "2^37 ways, 4 sources",
                "many_ways_to_one_directory_take_no_time",
            ),
            fault(
                "globs over loops of links",
                Count::Words("4 globs"),
                "job",
                "discover",
                "a_glob_follows_links_as_far_as_it_says_and_through_loops_once",
            ),
            hostile(
                "socket, FIFO, device",
                "3 kinds",
                "what_is_no_file_is_read_when_it_can_be_and_refused_when_not",
            ),
            hostile("names that are no text", "1", "names_that_are_no_text_are_read_and_shown"),
            fault(
                "a file that grows while it is read",
                Count::Words("1"),
                "testkit",
                "changes",
                "a_file_that_grows_while_it_is_read_fails_the_run",
            ),
            fault(
                "a file that shrinks",
                Count::Words("1"),
                "testkit",
                "changes",
                "a_file_that_shrinks_while_it_is_read_fails_the_run",
            ),
            fault(
                "a file that is replaced",
                Count::Words("1"),
                "testkit",
                "changes",
                "a_file_that_is_replaced_while_it_is_read_fails_the_run",
            ),
            hostile(
                "an output in a source, or a source in an output",
                "10 places",
                "nothing_that_a_run_writes_lies_in_a_source_or_is_one",
            ),
        ],
    },
    Promise {
        rules: &["1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "1.10", "1.11", "1.12"],
        text: "Frames and records are cut by the rules, whatever the bytes; neighbours are kept",
        faults: &[
            group("shapes, cut and broken files", "frames", "every_shape_is_framed"),
            group("columns of directories", "hive", "directories_give_columns"),
            group("places of records", "places", "records_say_where_they_lie"),
            group("bad records of every kind", "bad", "every_bad_record_is_set_aside"),
            group("records that a plan mends", "repairs", "what_a_plan_names_is_mended"),
            group(
                "other encodings, cut streams, very long values",
                "extremes",
                "extremes_are_told_or_kept",
            ),
            fault(
                "one byte of a valid file changed, against the oracle",
                Count::Sweep(MUTATIONS, 100_000),
                "testkit",
                "mutations",
                "one_byte_changed_is_told_exactly_and_never_hangs_or_crashes",
            ),
            fault(
                "gzip and zstd cut at any byte",
                Count::Words("every byte"),
                "storage",
                "input",
                "zstd_cut_at_any_byte_delivers_what_came_before",
            ),
            fault(
                "a byte of bzip2, xz and lz4 flipped, and cuts",
                Count::Words("60 bytes each"),
                "storage",
                "compressions",
                "a_flipped_byte_never_goes_unseen_and_breaks_the_same_however_it_is_read",
            ),
            hostile(
                "nesting of a million levels on stacks of 128 KiB",
                "7 places",
                "the_nesting_of_a_million_levels_needs_no_stack",
            ),
            hostile(
                "a string of 300 MB",
                "2 limits",
                "a_string_of_300_megabytes_is_one_bad_record_in_little_memory",
            ),
        ],
    },
    Promise {
        rules: &["2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7"],
        text: "Types come from all the data, and no value is changed",
        faults: &[
            group("values at every border", "types", "every_column_has_its_inferred_type"),
            group("values that do not fit", "declared", "every_value_becomes_its_declared_type"),
            group("other spellings", "respelled", "every_other_spelling_is_read_exactly"),
            group("names and texts of every kind", "names", "names_and_texts_are_kept"),
            hostile(
                "one string among numbers, in the last record",
                "100,000 records",
                "a_string_in_one_of_100_000_records_changes_no_other_value",
            ),
        ],
    },
    Promise {
        rules: &["3.1", "3.2", "3.3", "3.4", "3.5"],
        text: "The survivor is the first in the stated order, in any grouping",
        faults: &[
            group("ties, nulls, directions, kinds", "survivors", "the_right_records_survive"),
            group("what other tools get wrong", "peers", "what_went_wrong_elsewhere_is_right_here"),
            fault(
                "generated records, against the oracle, with rows on disk and in memory",
                Count::Sweep(GENERATED, 20_000),
                "testkit",
                "generated",
                "the_native_backend_equals_the_oracle_under_every_stretch",
            ),
            fault(
                "the same records in other spellings and files",
                Count::Sweep(GENERATED, 20_000),
                "testkit",
                "generated",
                "spelling_shapes_and_files_change_no_byte",
            ),
        ],
    },
    Promise {
        rules: &["4"],
        text: "Nothing is lost: the accounts add up, or nothing is committed",
        faults: &[
            fault(
                "a backend that counts wrong",
                Count::Words("1"),
                "job",
                "commit",
                "counts_that_do_not_add_up_are_a_bug_and_nothing_is_committed",
            ),
            hostile(
                "a quarantine that fills its disk",
                "1",
                "a_quarantine_that_fills_its_disk_fails_the_run",
            ),
        ],
    },
    Promise {
        rules: &["5"],
        text: "The output is the same in every byte whatever ran, it is the old or the new one, the quarantine is there \
               before it, and the next run cleans up",
        faults: &[
            group("layouts, sizes, compressions", "output", "outputs_are_laid_out_as_planned"),
            fault(
                "packed rows against encoded ones, byte by byte, with spilling",
                Count::Words("5 kinds of data, 3 plans, 4 sizes"),
                "engine",
                "packed",
                "packing_changes_no_byte_and_no_count",
            ),
            fault(
                "crash of the engine at every call, by kill and by loss of power",
                Count::Words("14 scenarios, every call, 3 ways"),
                "testkit",
                "crashes",
                "a_crash_at_any_call_of_the_engine_leaves_the_old_or_the_new_output_and_the_next_run_cleans_up",
            ),
            fault(
                "every call failing once, with a full disk and an I/O error",
                Count::Words("14 scenarios, every call, 2 errors"),
                "testkit",
                "crashes",
                "a_failure_at_any_call_of_the_engine_leaves_the_old_output_or_says_that_the_new_one_is_there",
            ),
            fault(
                "crash of a run to a store of objects at every call",
                Count::Words("3 scenarios, every call"),
                "distil",
                "objects",
                "a_run_that_is_killed_at_any_call_leaves_the_old_output_or_the_new_one",
            ),
            fault(
                "every call of a store of objects failing once",
                Count::Words("3 scenarios, every call"),
                "distil",
                "objects",
                "a_run_that_fails_at_any_call_changes_nothing_and_leaves_nothing",
            ),
            fault(
                "another run that publishes first, in a store of objects",
                Count::Words("3 scenarios; moto and azurite"),
                "distil",
                "objects",
                "of_two_runs_the_second_one_to_publish_changes_nothing",
            ),
            fault(
                "a run to S3 killed at each of its requests",
                Count::Sweep(12, 200),
                "cli",
                "stores",
                "nothing_is_left_of_runs_that_were_killed_on_s3",
            ),
            fault(
                "requests to S3 and Azure that fail, break, are cut, or lose their answers",
                Count::Words("every request, 8 ways"),
                "cli",
                "stores",
                "requests_that_fail_once_are_sent_again_on_s3",
            ),
            fault(
                "a run to the output of a living one",
                Count::Words("14 scenarios"),
                "testkit",
                "crashes",
                "a_run_to_the_output_of_a_living_one_changes_nothing",
            ),
            fault(
                "crash of the commit at every call",
                Count::Words("8 scenarios, every call, 3 ways"),
                "job",
                "commit",
                "a_crash_at_any_call_leaves_the_old_or_the_new_output_and_the_next_run_succeeds",
            ),
            fault(
                "SIGKILL at random moments",
                Count::Sweep(KILLS, 200),
                "cli",
                "hostile",
                "a_run_that_is_killed_at_any_moment_leaves_the_old_or_the_new_output_and_the_next_one_cleans_up",
            ),
            fault(
                "SIGINT, SIGTERM, SIGHUP at random moments",
                Count::Sweep(SIGNALS, SIGNALS),
                "cli",
                "hostile",
                "a_run_that_is_asked_to_end_at_any_moment_leaves_nothing_behind",
            ),
            hostile(
                "a second signal to a run that can't go on",
                "3 pairs",
                "the_second_signal_ends_a_run_at_once",
            ),
            fault(
                "loss of power on ext4: the image of a loop mount, copied while the run works",
                Count::Sweep(POWER_LOSSES, 50),
                "cli",
                "hostile",
                "a_loss_of_power_on_ext4_leaves_the_old_or_the_new_output",
            ),
            hostile("a full disk of the output", "2", "a_full_disk_keeps_the_old_output"),
            hostile(
                "a full temporary directory",
                "1",
                "a_temporary_directory_that_fills_up_fails_the_run_and_is_left_empty",
            ),
            hostile(
                "a disk that is mounted read-only",
                "3 places",
                "a_read_only_mount_takes_no_output_and_gives_its_input",
            ),
            hostile(
                "a run to the output of one that reads its input",
                "5 scenarios, 3 rivals",
                "a_run_to_the_output_of_a_living_one_is_refused",
            ),
            hostile(
                "four runs to one output at once",
                "5",
                "of_runs_to_one_output_at_most_one_writes_at_a_time",
            ),
            hostile(
                "a directory that holds files of others",
                "2",
                "a_directory_of_somebody_else_is_never_replaced",
            ),
        ],
    },
    Promise {
        rules: &["6"],
        text: "Equal digests mean equal rows, on every backend",
        faults: &[
            fault(
                "digests against bytes written by hand",
                Count::Words("all kinds"),
                "output",
                "outputs",
                "the_digest_is_the_sum_of_the_hashes_of_rows_written_byte_by_byte",
            ),
            fault(
                "the same values in other types, orders and batches",
                Count::Words("all kinds"),
                "output",
                "outputs",
                "equal_values_have_equal_digests_whatever_types_order_and_batches_hold_them",
            ),
        ],
    },
    Promise {
        rules: &[],
        text: "The memory of a run stays within its budget, which changes no byte",
        faults: &[
            hostile(
                "ten kinds of data with 64 open files, at the least budget and at 512 MiB",
                "20 runs, 66 in `make test-all`",
                "the_budget_holds_for_data_of_every_kind",
            ),
            hostile(
                "a window of zstd that is filled beyond its share",
                "1",
                "a_window_of_zstd_that_is_filled_beyond_the_budget_is_refused",
            ),
            hostile(
                "a record limit that the budget can't hold",
                "1",
                "records_larger_than_the_budget_holds_are_refused_before_reading",
            ),
        ],
    },
    Promise {
        rules: &[],
        text: "However inputs are cut, wherever the slices are decoded, the result is that of one run",
        faults: &[
            fault(
                "the suite on slices, carried outside of the process and combined in some order, byte for byte",
                Count::Words("all cases"),
                "testkit",
                "kernels",
                "the_suite_passes_on_slices",
            ),
            fault(
                "generated inputs, likewise",
                Count::Sweep(300, 20_000),
                "testkit",
                "kernels",
                "generated_inputs_on_slices_equal_the_oracle",
            ),
            fault(
                "generated inputs, each task in a process of its own",
                Count::Words("25 inputs"),
                "testkit",
                "kernels",
                "generated_inputs_in_processes_of_their_own_give_the_native_output",
            ),
            fault(
                "a slice that comes twice, and one that is missing",
                Count::Words("one each"),
                "testkit",
                "kernels",
                "a_slice_that_comes_twice_is_refused",
            ),
        ],
    },
    Promise {
        rules: &[],
        text: "Rows read from Parquet come to what the records that they were come to",
        faults: &[fault(
            "generated records by way of Parquet, in small row groups, with spilling, byte for byte",
            Count::Sweep(400, 20_000),
            "testkit",
            "rows",
            "rows_come_to_what_their_records_come_to",
        )],
    },
    Promise {
        rules: &[],
        text: "What strangers made starts nothing, opens nothing, and removes nothing (docs/security.md)",
        faults: &[
            fault(
                "a configuration where a command happens to run",
                Count::Words("9 ways"),
                "cli",
                "cli",
                "an_untrusted_configuration_starts_nothing",
            ),
            fault(
                "a secret for another address, and in a mistyped one",
                Count::Words("5 ways"),
                "cli",
                "cli",
                "no_secret_goes_where_another_file_sends_it_and_none_is_shown",
            ),
            hostile(
                "marks and directories of another user in a shared folder",
                "3 names",
                "marks_and_staging_of_somebody_else_are_neither_believed_nor_removed",
            ),
            hostile(
                "links in the place of staging and locks",
                "2 links",
                "a_link_in_the_place_of_staging_or_a_lock_is_not_followed",
            ),
            hostile(
                "permissions of what is replaced",
                "6 outputs",
                "an_output_keeps_the_permissions_of_the_one_that_it_replaces",
            ),
            hostile(
                "permissions of the output, the quarantine, the dropped records and the report",
                "4 files, 4 modes",
                "every_file_that_a_run_replaces_keeps_its_permissions",
            ),
            hostile(
                "names of 255 bytes for everything that is written, and paths of 4,096",
                "5 names, 3 lengths",
                "every_file_that_a_run_writes_may_have_a_long_name",
            ),
            hostile(
                "a signal within a record of 40 GB in a small compressed file",
                "1",
                "a_run_stops_within_a_long_record",
            ),
            hostile(
                "a signal within 40 GB of a string, blanks, digits, a list, brackets, siblings",
                "10 places, 2 commands",
                "every_command_stops_within_whatever_is_long",
            ),
            hostile(
                "types and paths of 33 to 10,000 levels in flags, schemas, plans and configurations",
                "13 places, 4 depths",
                "what_nests_deep_in_options_is_refused_on_a_small_stack",
            ),
            fault(
                "Parquet with flipped bytes and cut off, in every codec",
                Count::Sweep(60, 2_000),
                "testkit",
                "broken_parquet",
                "a_flipped_byte_is_the_fault_of_the_file",
            ),
            fault(
                "Parquet in every codec, its rows compared; a codec that is not to be had",
                Count::Words("7 codecs, 4 readers, and LZO"),
                "testkit",
                "broken_parquet",
                "rows_come_exactly_from_every_codec",
            ),
            fault(
                "Parquet whose schema nests deep, with and without a column at its end",
                Count::Words("150 to 200,000 levels, 3 repetitions, 4 readers"),
                "testkit",
                "broken_parquet",
                "a_schema_that_nests_deep_is_the_fault_of_the_file",
            ),
            fault(
                "Parquet with lists and names that claim more than there is",
                Count::Words("5 places, 2^16 to 2^62 elements, 4 readers"),
                "testkit",
                "broken_parquet",
                "a_list_that_claims_too_much_is_the_fault_of_the_file",
            ),
        ],
    },
    Promise {
        rules: &[],
        text: "Small limits make a run slower, or end it with what to do",
        faults: &[
            hostile(
                "64 open files",
                "300 inputs, spilled",
                "sixty_four_open_files_are_enough_for_any_number_of_inputs_and_spilled_runs",
            ),
            hostile(
                "a control group of 300 MB",
                "2 runs",
                "two_hundred_mebibytes_are_kept_in_a_control_group_of_three_hundred",
            ),
            hostile(
                "fewer threads than asked for, or none",
                "3 limits",
                "a_system_that_gives_fewer_threads_gets_a_slower_run_and_one_that_gives_none_is_told",
            ),
            hostile(
                "closed standard streams",
                "4 ways",
                "streams_that_are_closed_altogether_change_nothing",
            ),
            fault(
                "inputs that are doubled three times, with the work counted",
                Count::Sweep(0, GROWTH as u64),
                "cli",
                "growth",
                "twice_the_input_takes_at_most_two_and_a_half_times_the_work",
            ),
            hostile(
                "data that steers terminals",
                "12 commands",
                "names_and_values_are_shown_without_their_control_characters",
            ),
        ],
    },
];

/// Hostile input, in the words of those who send it, and the case of the suite that judges it; each is run
/// by the native backend over all its stretches, and by the oracle.
pub const INPUTS: &[(&str, &str)] = &[
    ("a truncated document", "a_truncated_document"),
    ("a truncated array", "a_truncated_array"),
    ("truncated lines", "truncated_lines"),
    ("truncated gzip", "a_gzip_file_without_its_end"),
    ("truncated zstd", "a_zstd_file_cut_in_its_checksum"),
    ("a zstd frame cut inside", "a_zstd_file_cut_inside_a_frame"),
    ("several gzip members", "gzip_members_one_after_another"),
    ("trailing bytes behind a document", "trailing_bytes_behind_a_document"),
    ("two documents", "two_documents_are_refused"),
    ("an empty file", "an_empty_file_beside_another"),
    ("blanks only", "a_file_of_blanks_only"),
    ("a byte order mark at the start", "a_byte_order_mark_at_the_start_is_skipped"),
    ("a byte order mark in the middle", "a_byte_order_mark_in_the_middle_is_bad"),
    ("UTF-16", "utf_16_by_its_mark"),
    ("UTF-32", "utf_32_by_its_mark"),
    ("invalid UTF-8 in a key", "a_key_that_is_not_utf_8"),
    ("invalid UTF-8 in a payload", "a_payload_that_is_not_utf_8"),
    ("invalid UTF-8 in a name", "not_utf_8_in_a_name"),
    ("a lone high surrogate", "bad_line_a_lone_high_surrogate"),
    ("a lone low surrogate", "bad_line_a_lone_low_surrogate"),
    ("`\"\\u0069d\"` as a name for `id`", "a_number_under_an_escaped_name_is_the_same_column"),
    ("duplicate members, at the top and deep", "duplicate_members"),
    ("duplicate members in ignored members", "duplicate_members_in_ignored_members"),
    ("`NaN`", "bad_line_not_a_number"),
    ("`Infinity`", "bad_line_infinity"),
    ("`+1`", "bad_line_a_plus"),
    ("`01`", "bad_line_a_leading_zero"),
    ("`.5`", "bad_line_a_point_alone"),
    ("hexadecimal numbers", "bad_line_a_hexadecimal"),
    ("comments", "bad_line_a_comment"),
    ("trailing commas", "bad_line_a_trailing_comma"),
    ("single quotes", "bad_line_single_quotes"),
    ("1,000,000 levels of nesting in data", "a_million_levels_in_a_record"),
    ("a record over `--max-record`", "a_record_of_the_largest_size_and_one_byte_more"),
    (
        "a member first seen in the very last record",
        "a_column_first_seen_in_the_last_record_is_there",
    ),
    (
        "a number in 99,999 records and a string in one",
        "a_number_in_99999_records_and_a_string_in_one_is_json",
    ),
    ("2^53 and its neighbours", "two_to_the_53_and_its_neighbours_are_integers"),
    ("2^53 + 1 beside a fraction", "two_to_the_53_plus_1_beside_a_fraction_is_a_decimal"),
    ("2^63", "an_integer_of_2_to_the_63_is_a_decimal"),
    ("2^64", "integers_beyond_64_bits_keep_every_digit"),
    ("39 digits", "an_integer_of_39_digits_is_json"),
    ("400 digits", "an_integer_of_400_digits_is_kept"),
    ("`1e400`", "a_number_beyond_the_largest_double_is_json"),
    ("`5e-324`", "numbers_with_a_fraction_are_float64"),
    ("`-0`", "zero_and_negative_zero_are_one_key"),
    ("10,000 random decimals", "ten_thousand_decimals_are_kept_exactly"),
    ("timestamps of mixed form", "timestamps_of_mixed_form_are_text"),
    ("timestamps of mixed form in a key", "instants_with_and_without_fraction_fail_with_the_hint"),
    ("timestamps without a zone", "timestamps_without_zone_are_text"),
    ("timestamps with an offset", "timestamps_with_an_offset_are_text"),
    ("years 0001 and 9999", "timestamps_without_fraction_are_milliseconds"),
    ("year 10000", "timestamps_beside_year_10000_keep_their_text"),
    ("second 60", "second_60_is_text"),
    ("30 February", "the_30th_of_february_is_text"),
    ("Bengali digits", "bengali_digits_are_text"),
    ("keys that are missing, null or empty", "keys_that_are_missing_null_or_empty"),
    ("boolean keys", "keys_of_booleans"),
    ("a list as key", "a_list_as_key_is_refused"),
    ("an object as key", "an_object_as_key_is_refused"),
    ("records that are no objects", "arrays_of_values_of_every_kind"),
    ("`records` missing", "records_missing"),
    ("`records` empty", "an_empty_list_of_records"),
    ("`records` twice", "records_twice"),
    ("a path at which there is nothing", "records_missing"),
    ("a page that breaks", "a_broken_page_ends_with_its_line"),
    ("a page that ends within a record", "a_page_cut_in_a_record"),
    ("`records` escaped", "an_escape_in_the_name_of_the_array"),
    ("`records` behind 100 KB of siblings", "records_behind_100_kilobytes_of_siblings"),
    ("1,001 different members", "an_object_of_1001_members_is_json"),
    ("20,000 different members", "an_object_of_20000_members_is_json"),
    ("20,000 different members of records", "more_than_10000_columns_fail"),
    ("names with dots", "a_name_with_a_dot"),
    ("names with commas", "a_name_with_a_comma"),
    ("names with blanks", "a_name_with_blanks"),
    ("empty names", "a_name_with_nothing_in_it"),
    ("names with NUL", "a_name_with_a_nul"),
    ("names of control characters", "names_of_control_characters"),
    ("right-to-left names", "a_name_with_right_to_left_text"),
    ("`id` and `Id`", "names_that_differ_in_case_are_two_columns_with_a_warning"),
    (
        "order of members, white space, line ends and escapes changed",
        "members_order_and_white_space_and_escapes_change_nothing",
    ),
];

/// The fuzz targets: what each compares. Any promise may break there.
pub const TARGETS: &[(&str, &str)] = &[
    ("bytes", "any bytes as a file, with the oracle"),
    (
        "borders",
        "any bytes read in pieces of any size by any threads, with the oracle and each other",
    ),
    (
        "paths",
        "records of one form and others: the packed path, the general path, and the oracle's own parser; \
         the first two byte by byte",
    ),
    (
        "values",
        "numbers, instants, dates, base64 as inferred and declared columns, with the oracle's parsers",
    ),
    ("order", "the encoding whose bytes order as values do, with the oracle's comparison"),
    ("spill", "rows that went to disk and came back by ranges of keys, with the oracle"),
    ("pipeline", "whole runs over generated files and plans, with the oracle"),
    (
        "parquet",
        "any bytes as Parquet or its footer, and files with bytes changed: an error of the file, or rows",
    ),
];

/// What nothing tries yet, or what is known not to hold.
pub const UNTESTED: &[&str] = &[
    "Network file systems (NFS, SMB, FUSE): locks, exchange and sync are as good as the server's.",
    "Disks that lie about a sync, and bits that rot.",
    "Google Cloud Storage, which no server for tests speaks; S3 and Azure themselves; HDFS with Kerberos, several name \
     nodes or encryption zones.",
    "Budgets below 64 MiB are refused. Beside the budget there is the largest record, up to six times: a limit over \
     the usual 64 MiB has to fit.",
    "More than some 2,000 columns keep to the promise of memory only from 256 MiB up: each takes about 15 KB of its own \
     (the table of peaks below).",
    "A panic of a command of the binary: no input is known that causes one. Status 70 and its message are \
     tested on the function that runs every command, by `-p distil-cli --bin distil`.",
    "1,000,000 levels of nesting around records by the oracle, which takes too long: the test on stacks of \
     128 KiB says by hand what comes of them.",
    "Fuzzing with sanitizers: the product has no unsafe code of its own, its codecs in C have.",
    "The table of hostile input on Spark, but for what the groups of its own suite share with it.",
];

/// The table of promises and faults, and what was not tested.
pub fn scoreboard() -> String {
    let mut text = String::new();
    for Promise { rules, text: promised, faults } in PROMISES {
        let rules = if rules.is_empty() { "The machine".to_owned() } else { rules.join(", ") };
        writeln!(text, "## {rules}: {promised}\n").unwrap();
        text.push_str("| what is tried | how often | test |\n|---|---|---|\n");
        for Fault { what, count, place, binary, test } in *faults {
            let count = match count {
                Count::Words(words) => (*words).to_owned(),
                Count::Cases(name) => format!("{} cases", cases_of(name)),
                Count::Sweep(usual, all) if usual == all => usual.to_string(),
                Count::Sweep(usual, all) => format!("{usual}, {all} in `make test-all`"),
            };
            let package = match *place {
                "distil" => "distil".to_owned(),
                place => format!("distil-{place}"),
            };
            writeln!(text, "| {what} | {count} | `-p {package} --test {binary} {test}` |").unwrap();
        }
        text.push('\n');
    }
    text.push_str("## Any rule: fuzzing guided by coverage\n\n");
    text.push_str("| what is compared | command |\n|---|---|\n");
    for (target, what) in TARGETS {
        writeln!(text, "| {what} | `make fuzz FUZZ={target}`, a minute each |").unwrap();
    }
    text.push_str("\n## Hostile input, case by case\n\n");
    text.push_str(
        "Each by `DISTIL_CASE=name cargo test -p distil-testkit --test conformance`.\n\n",
    );
    text.push_str("| input | case |\n|---|---|\n");
    for (input, case) in INPUTS {
        writeln!(text, "| {input} | `{case}` |").unwrap();
    }
    text.push_str("\n## What was not tested\n\n");
    for item in UNTESTED {
        writeln!(text, "- {item}").unwrap();
    }
    text
}

/// How many cases a group of the conformance suite has.
fn cases_of(group: &str) -> usize {
    groups().iter().find(|(name, _)| *name == group).map_or(0, |(_, cases)| cases.len())
}
