#pragma once

#include "list_words.hpp"
#include "session.hpp"

#include <tenure/cli/run.hpp>

// One function for each noun and verb, in the file of its noun. They throw what is wrong.
namespace tenure::cli {

ExitCode job_list(Session& session);
ExitCode job_count(Session& session);
ExitCode job_show(Session& session);
ExitCode job_why(Session& session);
ExitCode job_group(Session& session);
ExitCode job_tail(Session& session);
ExitCode job_export(Session& session);
ExitCode job_enqueue(Session& session);
ExitCode job_retry(Session& session);
ExitCode job_run(Session& session);
ExitCode job_cancel(Session& session);
ExitCode job_discard(Session& session);
ExitCode job_delete(Session& session);
ExitCode job_copy(Session& session);
ExitCode job_change(Session& session);
ExitCode tenant_list(Session& session);
ExitCode tenant_show(Session& session);
ExitCode tenant_check(Session& session);
ExitCode tenant_create(Session& session);
ExitCode tenant_backup(Session& session);
ExitCode tenant_restore(Session& session);
ExitCode tenant_reconcile(Session& session);
ExitCode tenant_clone(Session& session);
ExitCode tenant_migrate(Session& session);
ExitCode tenant_outbox(Session& session);
ExitCode tenant_recheck(Session& session);
ExitCode tenant_pause(Session& session);
ExitCode tenant_resume(Session& session);
ExitCode tenant_set(Session& session);
ExitCode tenant_delete(Session& session);
ExitCode tenant_undelete(Session& session);
ExitCode tenant_graveyard(Session& session);
ExitCode tenant_adopt(Session& session);
ExitCode queue_list(Session& session);
ExitCode queue_show(Session& session);
ExitCode queue_pause(Session& session);
ExitCode queue_resume(Session& session);
ExitCode kind_pause(Session& session);
ExitCode kind_resume(Session& session);
ExitCode kind_list(Session& session);
ExitCode kind_show(Session& session);
ExitCode queue_clear(Session& session);
ExitCode schedule_list(Session& session);
ExitCode schedule_show(Session& session);
ExitCode schedule_preview(Session& session);
ExitCode schedule_run(Session& session);
ExitCode schedule_pause(Session& session);
ExitCode schedule_resume(Session& session);
ExitCode schedule_add(Session& session);
ExitCode schedule_remove(Session& session);
ExitCode batch_list(Session& session);
ExitCode batch_show(Session& session);
ExitCode batch_retry(Session& session);
ExitCode batch_cancel(Session& session);
ExitCode fan_out_start(Session& session);
ExitCode fan_out_list(Session& session);
ExitCode fan_out_show(Session& session);
ExitCode fan_out_tenants(Session& session);
ExitCode fan_out_cancel(Session& session);
ExitCode limit_list(Session& session);
ExitCode limit_show(Session& session);
ExitCode limit_set(Session& session);
ExitCode limit_unset(Session& session);
ExitCode replay_capture(Session& session);
ExitCode replay_cancel(Session& session);
ExitCode replay_list(Session& session);
ExitCode replay_show(Session& session);
ExitCode store_show(Session& session);
ExitCode store_audit(Session& session);
ExitCode store_doctor(Session& session);
ExitCode store_check(Session& session);
ExitCode store_backup(Session& session);
ExitCode store_migrate(Session& session);
ExitCode store_restore(Session& session);
ExitCode store_prune(Session& session);
ExitCode store_checkpoint(Session& session);
ExitCode store_compact(Session& session);
ExitCode worker_list(Session& session);
ExitCode worker_top(Session& session);
bool top_draws_again(const Environment& environment, const CommandLine& line);
ExitCode worker_show(Session& session);
ExitCode worker_dump(Session& session);
ExitCode worker_quiet(Session& session);
ExitCode worker_resume(Session& session);
ExitCode worker_drain(Session& session);
ExitCode worker_recycle(Session& session);
ExitCode replay_journal(Session& session);
ExitCode replay_run(Session& session);
ExitCode config_check(Session& session);
ExitCode config_sample(Session& session);
ExitCode config_explain(Session& session);
ExitCode config_show(Session& session);
ExitCode config_reload(Session& session);

ListWords job_words();
ListWords why_words();
ListWords tenant_words();
ListWords queue_words();
ListWords audit_words();
ListWords worker_words();
ListWords kind_words();
ListWords replay_words();
ListWords filter_words();
ListWords batch_words();
ListWords fan_out_words();

}  // namespace tenure::cli
