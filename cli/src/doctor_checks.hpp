#pragma once

#include "finding.hpp"
#include "session.hpp"

#include <tenure/queue/store.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

// What `tenure doctor` and `tenure store check` look at, a function for each check. They change nothing.
namespace tenure::cli {

// The store that is looked at, and what has been found.
class Examination {
 public:
  explicit Examination(Session& session) : session_(session) {}

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] const ShowStyle& style() const { return session_.style(); }
  // Asked once, since it looks at every row: by the first who asks, as thoroughly as he wants it.
  [[nodiscard]] const std::vector<queue::DefectRecord>& defects(queue::PageCheck page_check);
  template <class Question>
  auto ask(Question question) {
    std::optional<std::invoke_result_t<Question, queue::JobReader&>> answer;
    session_.readable_store().read([&](queue::JobReader& reader) { answer.emplace(question(reader)); });
    return std::move(*answer);
  }

  void add(FindingLevel level, std::string_view check, std::string text, std::string command = {}) {
    findings_.push_back({level, check, std::move(text), std::move(command)});
  }
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

 private:
  Session& session_;
  std::optional<std::vector<queue::DefectRecord>> defects_;
  std::vector<Finding> findings_;
};

// In doctor_checks.cpp: the store itself.
void check_file(Examination& examination);
void check_pages_of_older(Examination& examination);  // of a schema whose rows this program does not know
void check_library(Examination& examination);
void check_holder(Examination& examination);
void check_places(Examination& examination);
void check_audit(Examination& examination);
// In doctor_seal_check.cpp: whether the key that is configured here is the one in force, and what it would refuse.
void check_seal_keys(Examination& examination);
// In doctor_outbox_check.cpp: whether what is on its way out of tenants' databases comes.
void check_outbox(Examination& examination);
// In doctor_restore_check.cpp: whether it was put back from a copy, and what was lost by that.
void check_restore(Examination& examination);
// In doctor_capture_check.cpp: whether capsules that operators have asked for could be made.
void check_captures(Examination& examination);
// In doctor_schedule_check.cpp: whether each schedule makes its jobs.
void check_schedules(Examination& examination);
// In doctor_batch_check.cpp: whether batches are closed, and count what their members say.
void check_batches(Examination& examination);
// In doctor_fan_out_check.cpp: whether fan-outs go on, and their counts add up.
void check_fan_outs(Examination& examination);
// In doctor_limit_check.cpp: whether jobs wait long for what limits allow.
void check_limits(Examination& examination);
// In doctor_retention_check.cpp: whether jobs that ended long ago are removed in their time.
void check_retention(Examination& examination);
// In doctor_work_checks.cpp: what nobody will perform, and the tenants.
void check_queues(Examination& examination);
void check_kinds(Examination& examination);
void check_dangling(Examination& examination);
void check_quiet(Examination& examination);
void check_released(Examination& examination);
void check_tenants(Examination& examination);
void check_stamps(Examination& examination);

// In doctor_rebuild.cpp: tenants that the registry has lost, from the stamps of their files. Files that cannot be registered are findings;
// how many were.
[[nodiscard]] std::int64_t rebuild_registry(Examination& examination);

// Of defects, those that a store mends without a decision.
[[nodiscard]] bool can_be_mended(queue::Defect defect);

}  // namespace tenure::cli
