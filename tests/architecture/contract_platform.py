"""Rows about ideas, commands, project files, datasets, submissions and failures."""

# One promise a line, however long.
# fmt: off

from contract import row

RUN, SUBMIT, TALK = "commands/test_run.py", "commands/test_submit.py", "commands/test_talk.py"
FILES, DATASETS, UPLOAD = "commands/test_files.py", "commands/test_datasets.py", "commands/test_upload.py"
WORDS, TABLES, GUESTS = "cli/test_words.py", "cli/test_tables.py", "test_guests.py"
A_GUEST = f"{GUESTS}::test_a_guest_runs_forks_submits_and_scores"
ONE_MACHINE = "one machine, one user, no server"
AUTOML = "hyper-parameter search is not built; a shell loop around `nsml run` does a sweep"

IDEAS = [
    row("1", "The ideas below are those of the commands", A_GUEST),
    row("1.1", "Sessions are called OWNER/DATASET/NUMBER, numbers count from 1 for each owner and dataset", "test_names.py::test_a_session_name_survives_a_round_trip", "store/test_sessions.py::test_numbers_count_up_from_one_per_owner_and_dataset"),
    row("1.1", "Without a dataset the middle part is None", f"{TALK}::test_code_is_evaluated_in_the_published_scope"),
    row("1.1", "Several datasets share the middle part", f"{GUESTS}::test_a_session_on_two_datasets_is_not_submitted_itself", note="NSML's form is not known; here the names are joined by commas"),
    row("1.1", "A session that cannot be placed is numbered -1", note="what cannot start is refused before it gets a number; what has to wait is queued"),
    row("1.1", "Code is frozen at the start", f"{RUN}::test_the_code_is_frozen_when_the_session_starts"),
    row("1.1", "Code stands in /app, data in /data/DATASET", f"{RUN}::test_code_and_data_lie_where_nsml_had_them", f"{RUN}::test_without_bubblewrap_the_paths_come_from_variables_with_one_warning"),
    row("1.2", "Models outlive their session, but not its removal; the same key overwrites", "client/test_checkpoints.py::test_the_same_key_overwrites_and_the_old_files_are_gone", f"{RUN}::test_remove_frees_what_no_other_session_shares"),
    row("1.2", "Keys are ints or texts; without one, the time", "client/test_checkpoints.py::test_any_key_names_a_checkpoint", "client/test_checkpoints.py::test_a_save_without_a_key_is_named_by_the_time"),
    row("1.3", "Sessions see datasets read-only and never their hidden part", f"{RUN}::test_the_session_sees_training_data_but_no_test_data", f"{RUN}::test_code_and_data_lie_where_nsml_had_them"),
    row("1.4", "Members of a team share sessions, models and a row of the board", "commands/test_account.py::test_login_chooses_the_owner_of_later_commands_and_keeps_other_settings", note="a team is a name: whoever uses the same home under the same NSML_TEAM is a member"),
    row("1.5", "Running costs credit", "commands/test_account.py::test_info_and_credit_tell_what_there_is", note=f"{ONE_MACHINE}: nothing costs anything, and `nsml credit` says so"),
    row("1.5", "A cap on the GPUs of one user", "commands/test_account.py::test_more_gpus_than_the_quota_are_refused", f"{RUN}::test_sessions_wait_for_their_workers_in_the_order_of_submission", note="what exceeds the cap for now waits instead of being refused"),
    row("1.6", "Allocated, Running, Stopping, Exited", f"{RUN}::test_a_waiting_session_can_be_stopped", f"{RUN}::test_every_end_has_a_cause", note="beside the state each end has its cause in words"),
    row("1.6", "Sessions whose GPUs idle are marked as zombies", f"{TALK}::test_gpustat_measures_a_running_session", note="no mark; `nsml gpustat` measures a session when asked"),
    row("1.6", "Types normal, normal/fork, infer, submit, submit(test)", f"{TALK}::test_a_service_keeps_the_checkpoint_loaded_and_answers", f"{TALK}::test_resume_goes_on_from_the_newest_checkpoint_of_an_ended_session", f"{SUBMIT}::test_a_dry_run_scores_the_small_split_off_the_board_with_a_readable_log"),
    row("1.7", "Sessions are placed where data and image are", f"{RUN}::test_sessions_wait_for_their_workers_in_the_order_of_submission", note=f"{ONE_MACHINE}: GPUs are leased in the order of submission"),
    row("1.8", "Mails about changes of state, blocking of abusers", note=f"{ONE_MACHINE}: there is nobody to write to and nobody to block"),
]

COMMANDS = [
    row("2", "Every command below, with help and an example", f"{WORDS}::test_every_help_ends_with_an_example_of_that_command", f"{WORDS}::test_every_option_stands_in_the_row_of_its_command"),
    row("2.1", "The bare name lists commands; a wrong one is told", f"{WORDS}::test_a_bare_group_lists_its_commands", f"{WORDS}::test_a_misspelt_command_is_told"),
    row("2.1", "--version, one `Key: value` a line", "commands/test_account.py::test_the_version_is_told_one_fact_per_line", note="the keys name this program, not Go"),
    row("2.1", "Flags before or after the session; all spellings of public scripts", f"{WORDS}::test_options_may_stand_on_either_side_of_the_session", f"{WORDS}::test_run_reads_the_forms_of_public_repositories"),
    row("2.1", "Ctrl-C tells what was aborted; the session goes on", f"{WORDS}::test_an_interrupted_command_says_what_was_aborted"),
    row("2.1", "Left-aligned tables with dashes, times and sizes as people say them", f"{TABLES}::test_columns_are_left_aligned_two_apart_and_at_least_two_wider_than_their_header", f"{TABLES}::test_an_empty_table_is_header_and_dashes", f"{TABLES}::test_times_are_told_as_a_person_would", f"{TABLES}::test_sizes_in_listings_are_decimal_and_in_uploads_binary"),
    row("2.1", "JSON with -j", "cli/test_json.py::test_every_key_is_documented_with_its_type", note="NSML's keys were never public; ours stand in json.md"),
    row("2.1", "--hide-client-log", f"{UPLOAD}::test_the_client_log_can_be_hidden"),
    row("2.1", "NSML_AUTH_DIR holds the login", "commands/test_account.py::test_login_chooses_the_owner_of_later_commands_and_keeps_other_settings", note="NSML_HOME takes its place: the whole home of a platform, its login included"),
    row("2.1", "Repeated failures lock a user out for minutes", note=f"{ONE_MACHINE}: a failing command harms nobody else"),
    row("2.2", "login, logout, whoami", "commands/test_account.py::test_login_chooses_the_owner_of_later_commands_and_keeps_other_settings", "commands/test_account.py::test_the_variable_overrules_a_login_and_that_is_told", note="no password and no expiry: login only chooses the owner"),
    row("2.2", "info and credit", "commands/test_account.py::test_info_and_credit_tell_what_there_is", note="credit has no limit"),
    row("2.3", "run uploads the entry's folder and starts it", f"{RUN}::test_a_run_trains_reports_and_saves", f"{RUN}::test_an_entry_in_a_sub_folder_makes_that_folder_the_root", f"{UPLOAD}::test_the_entry_may_be_named_by_position"),
    row("2.3", "Arguments are split and handed over unchanged", f"{RUN}::test_arguments_reach_the_script_unchanged", f"{WORDS}::test_script_arguments_are_split_as_a_shell_does", A_GUEST),
    row("2.3", "Two lines a file while uploading, then `Session NAME is started`", f"{UPLOAD}::test_every_file_is_listed_before_and_after_it_is_read", A_GUEST),
    row("2.3", "-i streams the log and removes the session", f"{RUN}::test_an_interactive_session_streams_its_log_and_is_gone_afterwards"),
    row("2.3", "--memory is a hard limit", f"{RUN}::test_a_session_that_takes_too_much_memory_is_ended_with_both_figures"),
    row("2.3", "-g asks for GPUs", f"{RUN}::test_without_a_gpu_scripts_hear_that_there_is_none_and_ours_how_many_workers", note="on a machine without GPUs it counts CPU workers, and one line says so"),
    row("2.3", "2 CPUs and 1G of shared memory unless asked for more", f"{WORDS}::test_every_option_stands_in_the_row_of_its_command", note="all CPUs unless -c binds the session to some; shared memory is the machine's"),
    row("2.3", "Options of single events and of the in-house platform", f"{WORDS}::test_an_option_without_meaning_here_is_taken_and_told_once", note="--esm, --queue, --nodes, --gpu-model, --gpu-driver-version, --nfs-output are taken and change nothing; one line says so"),
    row("2.3", "--show-limits, --show-default-nsmlignore, --no-verify", f"{UPLOAD}::test_the_limits_are_kept_unless_told_otherwise", f"{UPLOAD}::test_the_default_ignore_list_is_shown_and_obeyed"),
    row("2.4", "ps lists sessions, also brief and long", f"{FILES}::test_ps_can_be_brief_and_long", "cli/test_json.py::test_every_key_is_documented_with_its_type"),
    row("2.4", "Summary sorted, rounded, without step", f"{TABLES}::test_a_summary_is_sorted_rounded_and_without_its_step"),
    row("2.5", "logs, also of ended sessions, and -f to the end", f"{RUN}::test_every_end_has_a_cause", A_GUEST, note="a stream is not closed after 30 minutes, and no banner announces that"),
    row("2.5", "memo and command", f"{FILES}::test_memo_and_command_tell_about_a_session"),
    row("2.6", "stop ends a session and keeps it listed", f"{RUN}::test_stop_ends_the_session_and_all_it_started"),
    row("2.6", "resume goes on from the last model", f"{TALK}::test_resume_goes_on_from_the_newest_checkpoint_of_an_ended_session", f"{TALK}::test_a_running_session_is_not_resumed", note="as a new session: an ended one never runs again"),
    row("2.6", "rm with -f, -s and patterns; foreign sessions are refused", f"{FILES}::test_several_sessions_are_removed_by_pattern", f"{RUN}::test_remove_refuses_a_running_session_unless_forced", f"{RUN}::test_another_owners_session_is_out_of_reach"),
    row("2.7", "exec evaluates in the published scope", f"{TALK}::test_code_is_evaluated_in_the_published_scope", "client/test_console.py::test_a_mistake_is_told_and_the_training_lives"),
    row("2.7", "sh runs a command where the session works", f"{TALK}::test_a_shell_sees_what_the_session_sees", note="beside the session's processes, not among them"),
    row("2.7", "gpustat", f"{TALK}::test_gpustat_measures_a_running_session", f"{TALK}::test_the_driver_is_asked_for_the_sessions_own_gpus"),
    row("2.7", "plot shows what was reported", "commands/test_plot.py::test_the_page_is_complete_and_survives_hostile_names", "commands/test_plot.py::test_sessions_are_overlaid_on_one_page", note="one HTML file instead of a server"),
    row("2.8", "fork: code and arguments of the source, -c or the newest model", "commands/test_fork.py::test_a_fork_loads_the_checkpoint_and_goes_on", "commands/test_fork.py::test_a_fork_without_a_checkpoint_takes_the_newest", "commands/test_fork.py::test_a_fork_runs_the_code_of_its_source_whatever_the_folder_holds_now"),
    row("2.8", "A script without --iteration dies", "commands/test_diagnosis.py::test_the_cause_of_a_fork_names_the_line", A_GUEST, note="and the cause names the line to add"),
    row("2.9", "submit ends in `Score:` and `Done`", f"{SUBMIT}::test_a_submission_ends_in_a_score_and_a_row_on_the_board", A_GUEST),
    row("2.9", "-t, -e, -v; -b and --esm are taken", f"{SUBMIT}::test_a_dry_run_scores_the_small_split_off_the_board_with_a_readable_log", f"{TALK}::test_a_submission_may_use_another_script_of_the_same_code", f"{TALK}::test_nothing_of_a_submission_is_reached", note="-b changes nothing: the dataset's loader decides how it feeds the script"),
    row("2.10", "infer keeps a model loaded and answers exec; -d, -e", f"{TALK}::test_a_service_keeps_the_checkpoint_loaded_and_answers", f"{TALK}::test_a_service_may_use_another_script_of_the_same_code", f"{GUESTS}::test_a_service_answers_with_what_was_trained"),
    row("2.10", "Inference over HTTP", note="it was open inside the company only; `nsml exec` reaches the same service"),
    row("2.11", "model ls with elapsed time and summary", "client/test_checkpoints.py::test_the_record_holds_the_last_report_and_the_time_since_the_save_before", "cli/test_json.py::test_every_key_is_documented_with_its_type"),
    row("2.11", "model rm and pull, with patterns", f"{FILES}::test_checkpoints_are_pulled_and_removed_by_pattern"),
    row("2.12", "pull fetches the upload, download what was made of it", f"{FILES}::test_pull_fetches_the_upload_and_download_what_was_made_of_it", f"{FILES}::test_download_takes_one_file_or_folder_by_the_path_of_the_session", f"{FILES}::test_download_reaches_nothing_but_the_working_directory", note="names may hold any character; download reaches /app, what a session wrote elsewhere is not kept"),
    row("2.13", "dataset ls, search, board, fs", f"{DATASETS}::test_search_takes_words_and_patterns", "cli/test_json.py::test_every_key_is_documented_with_its_type", f"{SUBMIT}::test_the_board_keeps_the_best_of_each_team_and_counts", note="the board has one row a team and their count, as the web page had"),
    row("2.13", "dataset push and change, settings by option", f"{DATASETS}::test_options_win_over_the_file_and_stay_for_later_versions", f"{DATASETS}::test_the_leaderboard_is_a_metric_or_a_script", f"{DATASETS}::test_nonsense_is_refused_and_changes_nothing", note="a push never overwrites: it makes the next version"),
    row("2.13", "dataset pull and rm", f"{DATASETS}::test_a_dataset_is_fetched_as_it_was_pushed", f"{DATASETS}::test_a_removed_dataset_leaves_no_board_behind", f"{DATASETS}::test_a_dataset_in_use_stays"),
    row("2.14", "automl run, ps, stop, rm, memo, rank, logs", note=AUTOML),
]

PROJECT = [
    row("4", "A project is a folder", f"{RUN}::test_an_entry_in_a_sub_folder_makes_that_folder_the_root"),
    row("4.1", "The guest's own data_loader.py and evaluation.py do not count", "client/test_paused.py::test_the_guests_own_data_loader_stays_its_own", A_GUEST),
    row("4.1", "nsml_package.txt names system packages", "sessions/test_manifest.py::test_system_packages_are_named_as_not_installed", note="they are named with advice, not installed: that takes an administrator"),
    row("4.2", "The image line, anywhere and however spaced", "sessions/test_manifest.py::test_the_image_line_may_be_spaced_and_placed_freely", "sessions/test_manifest.py::test_without_an_image_line_the_default_counts", note="images are not pulled: dependencies decide the environment, an unknown image stops nothing"),
    row("4.3", "setup.py, then requirements.txt", "sessions/test_manifest.py::test_both_files_count_once_and_in_order", "sessions/test_manifest.py::test_a_setup_script_is_never_run", note="setup.py is read, never run"),
    row("4.3", "Dependencies are installed before the start; failures are told", "sessions/test_environment.py::test_an_environment_is_built_once_and_then_reused", "sessions/test_environment.py::test_an_impossible_requirement_is_named_with_what_the_tool_said"),
    row("4.3", "Old pins name versions of their day", "sessions/test_substitution.py::test_the_nearest_installable_version_is_chosen", f"{UPLOAD}::test_strict_refuses_what_the_manifest_does_not_name", note="a version that does not exist for this Python gives way to the nearest one, which is told; `--strict` refuses"),
    row("4.3", "What a guest imports but does not list", "sessions/test_imports.py::test_a_missing_module_is_named_with_its_place_and_what_to_install", f"{UPLOAD}::test_what_the_guest_will_lack_is_told_before_it_starts", note="told before the start, with what to add"),
    row("4.6", "Scripts of 2017 to 2022 run as they are", "sessions/test_old_names.py::test_old_pytorch_code_runs", "sessions/test_old_names.py::test_dropped_names_of_light_libraries_are_back", "sessions/test_old_names.py::test_the_switch_leaves_the_libraries_as_they_are", note="names that new libraries dropped are given back in sessions; NSML_COMPAT=0 leaves that out"),
    row("4.4", ".nsmlignore as git reads it, and a built-in list", "sessions/test_ignore.py::test_a_pattern_means_what_git_means", f"{UPLOAD}::test_the_default_ignore_list_is_shown_and_obeyed", note="the built-in list is ours: `lib/` and `*.so` are uploaded"),
    row("4.5", "Limits on files and bytes, a warning above 10 MB", "sessions/test_snapshot.py::test_too_many_bytes_are_refused_naming_the_largest_and_nothing_is_stored", "sessions/test_snapshot.py::test_too_many_files_are_refused_naming_the_fullest_folders", "sessions/test_snapshot.py::test_a_large_folder_carries_a_warning_that_names_what_is_large", note="1000 files and 300 MiB unless nsml.toml says otherwise; the refusal names what is large"),
    row("4.6", "The usual shape of an entry script", f"{RUN}::test_a_run_trains_reports_and_saves", A_GUEST),
]

DATA = [
    row("5", "Owners push, contestants see", "datasets/test_push.py::test_labels_and_evaluator_are_in_no_view"),
    row("5.1", "train/, test/test_data, test/test_label, test_submit/, data_loader.py", "datasets/test_push.py::test_labels_and_evaluator_are_in_no_view", "datasets/test_push.py::test_a_dry_run_without_data_of_its_own_sees_the_test_data", f"{RUN}::test_the_session_sees_training_data_but_no_test_data"),
    row("5.2", "The owner brings loader and evaluator, or a built-in metric", "datasets/test_push.py::test_labels_without_what_scores_them_are_refused", f"{SUBMIT}::test_a_built_in_metric_needs_no_evaluator", note="evaluation.py may also lie in the folder"),
    row("5.3", "Shapes of real datasets", A_GUEST),
    row("5.4", "Metric, order, tags, privacy, model limit", f"{DATASETS}::test_options_win_over_the_file_and_stay_for_later_versions", f"{DATASETS}::test_a_private_dataset_is_seen_by_its_owner_and_those_let_in", "client/test_checkpoints.py::test_a_model_over_the_limit_is_not_stored_and_the_script_goes_on"),
    row("5.4", "Copies on all machines, PRE_MOUNT", f"{WORDS}::test_an_option_without_meaning_here_is_taken_and_told_once", note=f"{ONE_MACHINE}: every dataset is where it is needed"),
]

SUBMISSIONS = [
    row("6", "The rules below", f"{SUBMIT}::test_a_submission_ends_in_a_score_and_a_row_on_the_board"),
    row("6.1", "A saved model, reserved arguments, paused before data", f"{SUBMIT}::test_a_mistake_is_told_in_words", f"{SUBMIT}::test_a_broken_submission_is_told_at_which_step"),
    row("6.2", "One hour between two submissions; dry runs and failures are free", f"{SUBMIT}::test_the_second_submission_within_the_interval_is_refused", "store/test_submissions.py::test_a_failed_submission_is_free", "store/test_submissions.py::test_dry_runs_and_other_teams_do_not_count", note="the interval is a setting of the dataset; --wait queues"),
    row("6.3", "3600 s for inference", f"{SUBMIT}::test_inference_beyond_the_time_limit_is_ended", note="the limit is a setting of the dataset"),
    row("6.4", "A dry run has a readable log and no row", f"{SUBMIT}::test_a_dry_run_scores_the_small_split_off_the_board_with_a_readable_log", note="it ends by itself, and tells its score on the small split"),
    row("6.5", "Best of each team, ties to the earlier, a count", "store/test_submissions.py::test_the_board_shows_the_best_of_each_team_and_how_often_it_tried", "store/test_submissions.py::test_of_equal_scores_the_earlier_one_stands_first", "store/test_submissions.py::test_dry_runs_and_failures_never_reach_the_board"),
    row("6.5", "Ascending boards", f"{SUBMIT}::test_an_ascending_board_puts_the_lowest_first", f"{GUESTS}::test_an_error_rate_stands_on_an_ascending_board"),
    row("6.5", "A private view of one's own submissions", f"{SUBMIT}::test_the_board_keeps_the_best_of_each_team_and_counts", note="`nsml ps -a` lists the submissions of one's own with their memo"),
    row("6.6", "Nothing of a submission is shown, only rm is valid", f"{TALK}::test_nothing_of_a_submission_is_reached", f"{SUBMIT}::test_what_a_submission_wrote_is_shown_to_nobody", "client/test_console.py::test_a_submission_answers_nobody"),
]

FAILURES = [
    row("8", "Failures and what to do", f"{SUBMIT}::test_a_broken_submission_is_told_at_which_step"),
    row("8.1", "A session that died is forked, or its model is loaded elsewhere", "commands/test_fork.py::test_a_fork_loads_the_checkpoint_and_goes_on", "client/test_checkpoints.py::test_load_reads_another_session", "test_walk.py::test_a_fork_of_a_killed_session_ends_with_the_weights_of_one_that_was_not"),
    row("8.1", "A save that failed leaves the model before it", "client/test_checkpoints.py::test_a_kill_in_the_middle_of_save_keeps_the_checkpoint_before", "client/test_checkpoints.py::test_a_disk_that_fills_up_while_publishing_keeps_the_checkpoint_before"),
    row("8.2", "Messages about placing and building", f"{RUN}::test_a_mistake_is_told_in_words_and_starts_nothing", "commands/test_account.py::test_more_gpus_than_the_quota_are_refused", note="the known words, then what to do; messages about Docker have no occasion"),
    row("8.2", "Messages about submissions", f"{SUBMIT}::test_a_broken_submission_is_told_at_which_step", f"{SUBMIT}::test_inference_beyond_the_time_limit_is_ended", note="the known words, then at which step and how to look closer"),
    row("8.2", "Messages about models", "client/test_checkpoints.py::test_a_missing_checkpoint_is_the_documented_key_error", "client/test_checkpoints.py::test_an_empty_save_is_kept_with_a_warning"),
    row("8.2", "Out of memory", f"{RUN}::test_a_session_that_takes_too_much_memory_is_ended_with_both_figures", note="told in the cause with both figures, and no mail"),
]

ROWS = [*IDEAS, *COMMANDS, *PROJECT, *DATA, *SUBMISSIONS, *FAILURES]
