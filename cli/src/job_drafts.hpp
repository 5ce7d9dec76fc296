#pragma once

#include "session.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/draft.hpp>
#include <tenure/queue/payload.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Jobs to enqueue, by kind and JSON: from what is said of them to what the store takes.
namespace tenure::cli {

// What words, options or a line say of one job.
struct JobSpec {
  std::string kind;
  std::optional<std::string> tenant;  // "none": outside every tenant, on purpose
  std::optional<std::string> queue;   // else where the kind goes by default
  int priority = 0;
  int attempts_max = limits::kAttemptsDefault;
  std::optional<Uuid> id;
  std::optional<WallTime> run_at;
  std::chrono::microseconds run_in{0};
  std::optional<WallTime> start_before;
  std::optional<std::string> concurrency_key;
  std::optional<int> running_max;  // 1 where there is a key
  std::optional<std::string> unique_key;
  std::optional<UniqueUntil> unique_until;  // ended where there is a key
  bool has_global_keys = false;
  std::optional<Uuid> batch;  // of which it is a member
};

// The time that --run-at or --run-in says; at most one of both may be given.
struct OptionTime {
  std::optional<WallTime> run_at;
  std::chrono::microseconds run_in{0};
};
[[nodiscard]] OptionTime time_option(const Session& session);
[[nodiscard]] int priority_option(const Session& session, int otherwise);
// As a value of `where`; BadOptions.
[[nodiscard]] Uuid job_uuid(std::string_view text, std::string_view where);

// BadOptions.
[[nodiscard]] UniqueUntil unique_until_named(std::string_view text, std::string_view where);

// What the words and options of a command say, but for the arguments.
[[nodiscard]] JobSpec spec_of_options(const Session& session);

class JobDrafts {
 public:
  // What the dispatcher has told of kinds and queues is asked once. `session` must outlive it.
  explicit JobDrafts(Session& session);

  // `arguments` gives them in canonical form, every id in them held against the context. BadOptions, BadTenantName, and what
  // `arguments` says.
  [[nodiscard]] queue::Draft draft(const JobSpec& spec, FunctionRef<std::string(PayloadContext&)> arguments);
  // Whether a worker process that lives, or was the last of its pool, has named it. Of one that none has named a message warns, once.
  [[nodiscard]] bool is_known(const std::string& kind);

 private:
  [[nodiscard]] std::string default_queue(const std::string& kind) const;

  Session& session_;
  std::vector<queue::PoolRecord> pools_;
  std::map<std::string, bool> known_;
};

}  // namespace tenure::cli
