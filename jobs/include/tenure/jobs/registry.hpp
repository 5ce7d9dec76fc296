#pragma once

#include <tenure/base/error.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/queue/result_limit.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenure {

namespace detail {
inline constexpr PayloadLimits kLimitsOfResult{.bytes_max = queue::kJobResultMax};
}

// The kinds that a worker program can perform, each with its handler. Made in main, handed on, and not changed afterwards.
// Threads: add() on one; the rest from any.
class JobRegistry {
 public:
  // Decodes the arguments and calls the handler with them. Copies share the handler.
  class Runner {
   public:
    void operator()(std::string_view arguments, PayloadContext& payload, JobContext& context) const {
      run_(handler_.get(), arguments, payload, context);
    }

   private:
    friend class JobRegistry;
    using Run = void (*)(void* handler, std::string_view arguments, PayloadContext&, JobContext&);
    // Of plain pointers, so that one type serves all handlers: a std::function would be compiled for each.
    Runner(void* handler, void (*destroy)(void*), Run run) : handler_(handler, destroy), run_(run) {}
    std::shared_ptr<void> handler_;
    Run run_;
  };

  // `handler(const Job&, JobContext&)` is called from several threads at once. The kind's aliases go with it. Of a kind with a `Result` it returns
  // one; where that cannot be kept (PayloadTooLarge: 64 KiB of JSON; what else encoding says) the run has failed.
  // BadOptions: a malformed kind, one that is there already, or more than 5,000.
  template <JobType Job, class Handler>
  void add(Handler handler) {
    static_assert(std::is_invocable_v<Handler&, const Job&, JobContext&>,
                  "a handler is called as handler(const Job&, tenure::JobContext&)");
    if constexpr (detail::SaysResult<Job> && std::is_invocable_v<Handler&, const Job&, JobContext&>)
      static_assert(std::is_convertible_v<std::invoke_result_t<Handler&, const Job&, JobContext&>,
                                          typename Job::Result>,
                    "tenure: the handler of a kind with a `Result` returns one.");
    const JobOptions options = options_of<Job>();
    check_options(options);
    const Runner runner{new Handler(std::move(handler)), &destroy<Handler>, &run<Job, Handler>};
    add_runner(Job::kind, runner, options);
    if constexpr (detail::SaysAliases<Job>)
      for (const std::string_view alias : Job::aliases) add_runner(alias, runner, options);
  }

  // Says what is missing.
  template <class Job, class Handler>
  requires(!JobType<Job>) void add(Handler) { static_assert(detail::kNever<Job>, TENURE_JOB_WITHOUT_KIND); }

  // The C++ half of the migration of that name ("0002_initials"), whose file begins with `-- tenure: code`. What MigrationCode says.
  // BadOptions: there is one of that name already.
  void add_migration(std::string step, MigrationCode code);
  [[nodiscard]] const MigrationCodes& migration_codes() const { return codes_; }

  // Null for a kind that is not here.
  [[nodiscard]] const Runner* find(std::string_view kind) const;
  struct Kind {
    std::string name;
    std::string queue;                        // where its jobs go unless their enqueue says otherwise
    std::chrono::milliseconds time_limit{0};  // 0: as the pool says
    std::optional<SchemaRange> schema = {};   // nothing: JobOptions::schema says what
    bool reads_only = false;
  };
  // Of a kind that is here.
  [[nodiscard]] const detail::FailurePolicy& policy(std::string_view kind) const;
  // For how long results of a kind that is here are kept, if its handler returns any.
  [[nodiscard]] std::chrono::milliseconds keep_result(std::string_view kind) const;
  [[nodiscard]] std::optional<SchemaRange> schema(std::string_view kind) const;
  [[nodiscard]] bool reads_only(std::string_view kind) const;
  // In the order of their names, aliases included.
  [[nodiscard]] std::vector<Kind> kinds() const;

 private:
  template <class Handler>
  static void destroy(void* handler) {
    delete static_cast<Handler*>(handler);
  }
  template <JobType Job, class Handler>
  static void run(void* handler, std::string_view arguments, PayloadContext& payload, JobContext& context) {
    const Job job = decode_arguments<Job>(arguments, payload, kLimitsOfStored);
    context.begins();
    if constexpr (detail::SaysResult<Job>) {
      const typename Job::Result result = (*static_cast<Handler*>(handler))(job, context);
      context.returns([&] { return encode_arguments(result, payload, detail::kLimitsOfResult); });
    } else {
      (*static_cast<Handler*>(handler))(job, context);
    }
  }
  struct Entry {
    Runner runner;
    std::string queue;
    std::chrono::milliseconds time_limit{0};
    detail::FailurePolicy policy;
    std::chrono::milliseconds keep_result{0};
    std::optional<SchemaRange> schema = {};
    bool reads_only = false;
  };
  void add_runner(std::string_view kind, const Runner& runner, const JobOptions& options);
  std::map<std::string, Entry, std::less<>> kinds_;
  MigrationCodes codes_;
};

}  // namespace tenure
