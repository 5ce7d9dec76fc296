#pragma once

#include <tenure/base/error.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/jobs/reference.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenure {

// The kinds that a worker program can perform, each with its handler. Made in main, handed on, and not changed afterwards.
// Threads: add() on one; the rest from any.
class JobRegistry {
 public:
  // Decodes the arguments and calls the handler with them.
  using Runner = std::function<void(std::string_view arguments, PayloadContext&, JobContext&)>;

  // `handler(const Job&, JobContext&)` is called from several threads at once. The kind's aliases go with it.
  // BadOptions: a malformed kind, or one that is there already.
  template <JobType Job, class Handler>
  void add(Handler handler) {
    static_assert(std::is_invocable_v<Handler&, const Job&, JobContext&>,
                  "a handler is called as handler(const Job&, tenure::JobContext&)");
    check_options(options_of<Job>());
    const Runner runner = [handler = std::move(handler)](std::string_view arguments, PayloadContext& payload,
                                                         JobContext& context) mutable {
      const Job job = decode_arguments<Job>(arguments, payload);
      handler(job, context);
    };
    add_runner(Job::kind, runner);
    if constexpr (requires { Job::aliases; })
      for (const std::string_view alias : Job::aliases) add_runner(alias, runner);
  }

  // Null for a kind that is not here.
  [[nodiscard]] const Runner* find(std::string_view kind) const;
  // In the order of their names, aliases included.
  [[nodiscard]] std::vector<std::string> kinds() const;

 private:
  void add_runner(std::string_view kind, Runner runner);
  std::map<std::string, Runner, std::less<>> runners_;
};

}  // namespace tenure
