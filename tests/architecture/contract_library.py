"""Rows about the library, the web pages, and what people really wrote."""

# One promise a line, however long.
# fmt: off

from contract import row

SAVES, REPORTS, PAUSED = "client/test_checkpoints.py", "client/test_reports.py", "client/test_paused.py"
CONSTANTS, HOOKS, HANDOVER = "client/test_constants.py", "client/test_hooks.py", "client/test_handover.py"
CACHE, HABITS, EVALUATOR = "client/test_cache.py", "client/test_old_habits.py", "scoring/test_evaluator.py"
SUBMIT, GUESTS = "commands/test_submit.py", "test_guests.py"
A_GUEST = f"{GUESTS}::test_a_guest_runs_forks_submits_and_scores"
WEB = "there is no web page yet; {} shows it"

LIBRARY = [
    row("3", "Every import line of public scripts", f"{CONSTANTS}::test_every_import_line_of_public_scripts_works", "architecture/test_public_names.py::test_the_library_offers_the_names_of_the_contract_and_no_others"),
    row("3.1", "Outside a session everything is quiet", f"{CONSTANTS}::test_outside_a_session_everything_is_quiet"),
    row("3.2", "The constants, also in nsml.constants", f"{CONSTANTS}::test_the_constants_of_a_session", f"{CONSTANTS}::test_the_same_names_stand_in_nsml_constants"),
    row("3.2", "DATASET_PATH is a list for several datasets", f"{CONSTANTS}::test_several_datasets_give_a_list_of_paths", A_GUEST),
    row("3.2", "NSML_NFS_OUTPUT, PARALLEL_WORLD, PARALLEL_PORTS, MY_RANK", f"{CONSTANTS}::test_every_import_line_of_public_scripts_works", note="one machine: no network folder, one host, no ports"),
    row("3.3", "bind by position and by keyword; binding again replaces", f"{HOOKS}::test_positional_binding_in_the_order_of_2017", f"{HOOKS}::test_binding_one_role_again_keeps_the_others", A_GUEST),
    row("3.3", "Further keywords reach save and load", f"{HOOKS}::test_further_keywords_of_bind_go_to_those_who_declare_them", note="only functions that declare them get them; NSML's own rule is not known"),
    row("3.3", "Objects without functions save themselves", "client/test_savers.py::test_torch_objects_are_restored_in_place", "client/test_savers.py::test_keras_models_save_their_weights_under_the_ending_keras_asks_for", "client/test_savers.py::test_a_session_of_tensorflow_1_is_saved_by_its_saver", "client/test_savers.py::test_scikit_learn_and_own_objects_go_by_pickle", A_GUEST),
    row("3.3", "save gets a folder, or a path to write one file to", f"{HANDOVER}::test_every_kind_of_pair_saves_and_loads", f"{SAVES}::test_a_function_that_writes_to_the_path_itself_gets_a_file", A_GUEST, note="the folder comes first; a function that refuses it is called again with a path that does not exist"),
    row("3.3", "Exactly one positional argument", f"{HOOKS}::test_save_and_load_get_one_positional_argument_whatever_they_declare"),
    row("3.4", "save is done when it returns", f"{SAVES}::test_exit_right_after_save_loses_nothing", A_GUEST),
    row("3.4", "save_fn, the last report as summary, the size limit", f"{HABITS}::test_side_data_travels_through_the_model_store", f"{SAVES}::test_the_record_holds_the_last_report_and_the_time_since_the_save_before", f"{SAVES}::test_a_model_over_the_limit_is_not_stored_and_the_script_goes_on"),
    row("3.5", "load from any session of the owner, by any spelling of the key", f"{SAVES}::test_load_reads_another_session", f"{SAVES}::test_load_restores_by_key_whatever_its_type", A_GUEST),
    row("3.5", "load_fn; a missing model is a KeyError; errors pass through", f"{SAVES}::test_load_fn_is_used_instead_of_the_bound_function", f"{SAVES}::test_a_missing_checkpoint_is_the_documented_key_error"),
    row("3.6", "report by keyword, by dict, with summary first", f"{REPORTS}::test_every_way_to_call_it_in_public_code", f"{REPORTS}::test_a_report_is_one_point_with_slashes_for_double_underscores"),
    row("3.6", "What is no JSON is a TypeError", f"{REPORTS}::test_a_tensor_with_several_values_is_the_documented_type_error", f"{REPORTS}::test_numpy_and_torch_scalars_become_numbers", note="scalars of NumPy and torch are taken where nothing is lost"),
    row("3.6", "@std, @vector, @stack", f"{REPORTS}::test_names_with_a_meaning_for_the_graphs_pass_through", "commands/test_plot.py::test_bands_vectors_and_stacks_are_recognised"),
    row("3.7", "paused returns in a fork and ends a submission", f"{HABITS}::test_code_after_paused_runs_in_a_fork_and_not_in_a_submission", f"{PAUSED}::test_a_submission_loads_then_feeds_infer_then_ends_inside_the_call", A_GUEST),
    row("3.7", "A plain pause waits for done()", f"{PAUSED}::test_a_plain_pause_waits_until_done_is_called"),
    row("3.7", "Without scope= an instruction fails with NameError", f"{PAUSED}::test_a_submission_loads_then_feeds_infer_then_ends_inside_the_call", note="nothing is evaluated in the scope, so it may be left out"),
    row("3.8", "cache computes once under the name of the function", f"{CACHE}::test_a_function_computes_once_for_all_sessions_of_an_owner_on_a_dataset", f"{CACHE}::test_the_name_of_the_function_is_the_key", "commands/test_run.py::test_what_one_session_caches_the_next_one_finds", f"{GUESTS}::test_a_second_session_gets_what_the_first_has_cached"),
    row("3.8", "copy in place", "client/test_copying.py::test_entries_and_attributes_move_into_the_object_that_others_know"),
    row("3.9", "infer by user code and by exec", f"{GUESTS}::test_a_service_answers_with_what_was_trained", f"{HOOKS}::test_inferring_without_a_function_says_what_to_bind"),
    row("3.10", "--mode, --pause, --iteration, each only where it belongs", "commands/test_fork.py::test_a_fork_loads_the_checkpoint_and_goes_on", "commands/test_talk.py::test_nothing_of_a_submission_is_reached", "commands/test_talk.py::test_a_service_keeps_the_checkpoint_loaded_and_answers", A_GUEST),
    row("3.11", "Load, feed, write, score, step by step", f"{SUBMIT}::test_a_submission_ends_in_a_score_and_a_row_on_the_board", f"{SUBMIT}::test_a_broken_submission_is_told_at_which_step"),
    row("3.11", "Training data and labels are out of sight", f"{SUBMIT}::test_training_data_labels_and_store_are_out_of_sight"),
    row("3.11", "test_data_loader: tuples are spread, results written, probabilities ignored", f"{PAUSED}::test_an_older_loader_is_spread_and_only_the_results_are_written", f"{PAUSED}::test_an_answer_that_is_no_pair_is_explained", A_GUEST),
    row("3.11", "Every shape of feed_infer in the table", A_GUEST),
    row("3.11", "A loader that hands out labels as well", A_GUEST, note="it finds them in test/test_data only: test/test_label never enters a session"),
    row("3.11", "An empty prediction is an error", f"{PAUSED}::test_a_failure_names_its_stage_and_keeps_its_traceback"),
    row("3.12", "Evaluators with one flag or two, and with paths of their own", f"{EVALUATOR}::test_the_label_flag_goes_only_to_scripts_that_know_it", f"{SUBMIT}::test_an_old_evaluator_finds_the_labels_at_its_hard_coded_path", A_GUEST),
    row("3.12", "The score exactly as printed; one number", f"{EVALUATOR}::test_the_score_is_taken_exactly_as_printed", f"{EVALUATOR}::test_what_is_no_finite_number_is_refused"),
    row("3.12", "accuracy, mse, f1", "scoring/test_metrics.py::test_a_prediction_file_is_scored_line_by_line", "scoring/test_metrics.py::test_class_f1_agrees_with_scikit_learn"),
]

PAGES = [
    row("7", "Web pages", note="there is none yet; every figure below can be had on the command line"),
    row("7.1", "Frame, owners, credit", note=WEB.format("`nsml info`")),
    row("7.2", "List of sessions", "cli/test_json.py::test_every_key_is_documented_with_its_type", note=WEB.format("`nsml ps -a`")),
    row("7.3", "Sidebar with datasets and their sessions", note=WEB.format("`nsml dataset ls` and `nsml ps -d`")),
    row("7.3", "A button that saves a running session", note="`nsml exec SESSION \"nsml.save('now')\"` does it"),
    row("7.4", "Live logs side by side, a prompt in the session", "commands/test_talk.py::test_code_is_evaluated_in_the_published_scope", note=WEB.format("`nsml logs -f` and `nsml exec`")),
    row("7.5", "Difference of two sessions", note="`nsml pull` both and compare them with any tool"),
    row("7.6", "Overview with use of GPU, CPU, memory", "commands/test_talk.py::test_gpustat_measures_a_running_session", note="a moment instead of a curve: `nsml gpustat`"),
    row("7.7", "Graphs of what was reported", "commands/test_plot.py::test_the_page_is_complete_and_survives_hostile_names", "commands/test_plot.py::test_sessions_are_overlaid_on_one_page", "commands/test_plot.py::test_a_long_line_keeps_a_thousand_points_and_every_peak", note="`nsml plot` writes the page; it is not live"),
    row("7.7", "visdom's plots", f"{GUESTS}::test_what_is_drawn_through_visdom_is_kept_without_its_server", "client/test_plots.py::test_what_is_drawn_through_visdom_is_kept_without_a_server", note="they are kept in the session's folder, not shown"),
    row("7.8", "Board", f"{SUBMIT}::test_the_board_keeps_the_best_of_each_team_and_counts", note=WEB.format("`nsml dataset board`")),
    row("7.9", "What the cluster has left", note="one machine: `nsml gpustat` for a session, the system's own tools for the machine"),
    row("7.10", "Settings and storage", "commands/test_files.py::test_checkpoints_are_pulled_and_removed_by_pattern", note=WEB.format("`nsml model ls`, `nsml model rm`")),
    row("7.11", "Actions", A_GUEST, note="all of them are commands; favourites are not kept"),
    row("7.12", "Pages of automl", note="there is no automl"),
]

HABIT_ROWS = [
    row("9", "Unmodified guests run, fork, submit and score", A_GUEST),
    row("9.1", "Every attribute in use", "architecture/test_public_names.py::test_the_library_offers_the_names_of_the_contract_and_no_others"),
    row("9.1", "save_folder, pause, HAS_DATASET, SESSION_NAME", f"{SAVES}::test_a_folder_is_stored_without_anything_bound", f"{PAUSED}::test_the_misspelt_pause_is_understood", A_GUEST),
    row("9.2", "Ensembles bind and load each member", f"{HABITS}::test_an_ensemble_binds_and_loads_each_member_then_saves_all", f"{SUBMIT}::test_a_submission_may_load_checkpoints_of_other_sessions", A_GUEST),
    row("9.2", "Side data through the model store", f"{HABITS}::test_side_data_travels_through_the_model_store", f"{GUESTS}::test_an_error_rate_stands_on_an_ascending_board"),
    row("9.2", "Saving before paused changes nothing in a submission", f"{HABITS}::test_saving_before_paused_changes_nothing_in_a_submission", f"{GUESTS}::test_a_careless_script_changes_nothing_by_being_submitted"),
    row("9.2", "Loading before paused works in a submission", f"{HABITS}::test_loading_another_session_before_paused_works_in_a_submission"),
    row("9.2", "Classes of the entry script in pickles", f"{HABITS}::test_pickles_of_classes_of_the_entry_script_load_in_a_submission", A_GUEST),
    row("9.2", "makedirs on a folder that is there", f"{SAVES}::test_a_function_may_make_the_folder_again"),
    row("9.2", "A guest's own nsml.py does not win", "sessions/test_shelf.py::test_the_platform_s_nsml_wins_over_a_guest_s_stand_in", A_GUEST),
    row("9.2", "Odd keys", f"{HABITS}::test_keys_seen_in_public_scripts"),
    row("9.2", "The same step reported twice is one point", "commands/test_plot.py::test_reports_of_the_same_step_are_one_point", f"{REPORTS}::test_two_reports_of_one_step_describe_the_checkpoint_together"),
    row("9.2", "Values that are no finite numbers", f"{REPORTS}::test_infinities_are_kept", "commands/test_plot.py::test_what_is_no_number_is_not_drawn_and_points_without_step_stand_in_order"),
    row("9.2", "Whole objects in torch checkpoints", A_GUEST),
    row("9.2", "Files beside the script", "commands/test_run.py::test_what_the_session_writes_changes_neither_the_upload_nor_the_users_folder"),
    row("9.2", "UTF-8 without saying so", A_GUEST),
    row("9.2", "Launch scripts parse `Session NAME is started` and `Score:`", A_GUEST),
    row("9.2", "--pause without a type", f"{GUESTS}::test_a_careless_script_changes_nothing_by_being_submitted"),
    row("9.2", "Parsers other than argparse", "commands/test_diagnosis.py::test_the_parsers_that_are_not_installed_are_known_as_well", A_GUEST),
    row("9.3", "Exit codes", "cli/test_words.py::test_an_interrupted_command_says_what_was_aborted", note="0 done, 1 refused, 2 misused, 130 interrupted"),
    row("9.3", "Numbers after removal", "store/test_sessions.py::test_a_number_is_not_used_again_after_its_session_was_removed", note="never used again"),
    row("9.3", "bind with one function only", f"{HOOKS}::test_binding_one_role_again_keeps_the_others", note="the others stay"),
    row("9.3", "JSON of -j, the built-in ignore list", "cli/test_json.py::test_every_key_is_documented_with_its_type", "commands/test_upload.py::test_the_default_ignore_list_is_shown_and_obeyed", note="ours, documented"),
    row("9.3", "use_nsml_legacy", A_GUEST, note="taken, without effect: both kinds of paths are recognised anyway"),
    row("9.3", "How paused learns the checkpoint", f"{PAUSED}::test_a_submission_loads_then_feeds_infer_then_ends_inside_the_call", note="by an environment variable"),
]

ROWS = [*LIBRARY, *PAGES, *HABIT_ROWS]
