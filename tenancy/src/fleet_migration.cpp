#include <tenure/base/exception_text.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/database_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/fleet_migration.hpp>
#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <charconv>
#include <exception>
#include <mutex>
#include <pthread.h>
#include <sys/types.h>
#include <system_error>
#include <thread>

namespace tenure {
namespace {

constexpr mode_t kModeOfScratch = 0600;

// Of one tenant in a folder of its own, for as long as it is looked at.
class ScratchCopy {
 public:
  ScratchCopy(const std::filesystem::path& scratch, const TenantHandle& source)
      : folder_(scratch / source.tenant().text()), handles_(files(), {.application = source.application()}) {
    std::filesystem::create_directories(folder_);
    const std::filesystem::path target = files().path_for(source.tenant());
    if (const int error = sqlite::DatabaseFile::make(target, kModeOfScratch); error != 0)
      raise_system(error, "the copy cannot be made", target);
    const TenantSnapshot snapshot = source.begin_read();
    const OwnTables tables(snapshot);
    sqlite::copy_database(tables.connection(), target, [](const sqlite::CopyProgress&) {});
  }
  ~ScratchCopy() {
    handles_.close_idle();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchCopy(const ScratchCopy&) = delete;
  ScratchCopy& operator=(const ScratchCopy&) = delete;

  [[nodiscard]] HandleCache& handles() { return handles_; }

 private:
  [[nodiscard]] TenantFiles files() const { return TenantFiles{(folder_ / "%{tenant}.db").string()}; }
  const std::filesystem::path folder_;
  HandleCache handles_;
};

class FleetRun {
 public:
  FleetRun(HandleCache& handles, const TenantMigrations& migrations, const Clock& clock,
           std::span<const TenantToMigrate> tenants, const FleetOptions& options,
           FunctionRef<void(const TenantResult&)> on_result)
      : handles_(handles),
        migrations_(migrations),
        clock_(clock),
        tenants_(tenants),
        options_(options),
        on_result_(on_result) {}

  void run() {
    std::vector<std::jthread> others;
    const auto threads = std::min(static_cast<std::size_t>(options_.threads), tenants_.size());
    for (std::size_t thread = 1; thread < threads; ++thread)
      others.emplace_back([this] {
        ::pthread_setname_np(::pthread_self(), "migrating");
        work();
      });
    work();
    others.clear();
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  // A thread's entry: what a listener throws is kept for whoever waits for all of them.
  void work() {
    while (!is_over_) {
      const std::size_t next = next_++;
      if (next >= tenants_.size()) return;
      const TenantResult result = migrate(tenants_[next]);
      const std::lock_guard lock{mutex_};
      try {
        if (!thrown_) on_result_(result);
      } catch (...) {
        thrown_ = std::current_exception();
        is_over_ = true;
      }
    }
  }

  // A border: what one tenant meets is its own.
  TenantResult migrate(const TenantToMigrate& tenant) {
    TenantResult result{.tenant = tenant.name, .done = {}};
    const Instant begun = clock_.steady();
    const log::Context log_context(tenant.name.text(), tenant.generation.value, "");
    try {
      const TenantScope scope(tenant.name, tenant.generation, AllowSwap{});
      HandleLease lease = value_or_raise(handles_.acquire(tenant.name, tenant.generation, access()));
      if (options_.scratch.empty()) migrate(lease, result);
      else migrate_copy(lease, result);
    } catch (const Error& error) {
      result.failure = error.failure();
    } catch (...) {
      result.failure = Failure{ErrorCode::handler_failed, text_of_thrown(), tenant.name.text()};
    }
    result.took = clock_.steady() - begun;
    handles_.close(tenant.name);
    if (options_.scratch.empty()) log_migration(result);
    return result;
  }

  [[nodiscard]] HandleAccess access() const {
    return options_.scratch.empty() ? HandleAccess::read_write : HandleAccess::read_only;
  }

  void migrate(HandleLease& lease, TenantResult& result) {
    static_cast<void>(migrate_tenant(lease, migrations_, clock_.wall(), {options_.to, &result.done}));
  }

  void migrate_copy(HandleLease& lease, TenantResult& result) {
    ScratchCopy copy(options_.scratch, *lease);
    HandleLease scratch = value_or_raise(copy.handles().acquire(lease->tenant(), lease->generation()));
    migrate(scratch, result);
  }

  HandleCache& handles_;
  const TenantMigrations& migrations_;
  const Clock& clock_;
  const std::span<const TenantToMigrate> tenants_;
  const FleetOptions& options_;
  FunctionRef<void(const TenantResult&)> on_result_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> is_over_ = false;
  std::mutex mutex_;
  std::exception_ptr thrown_;
};

[[noreturn]] void refuse_waves(std::string_view waves) {
  raise(
      ErrorCode::bad_options,
      fmt::format("waves are percentages that grow to 100%, as in 1%,10%,100%, and not {}", escaped(waves)));
}

int percentage(std::string_view text, std::string_view waves) {
  int number = 0;
  if (!text.ends_with('%')) refuse_waves(waves);
  text.remove_suffix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) refuse_waves(waves);
  return number;
}

}  // namespace

void log_migration(const TenantResult& result) {
  const auto& [from, to, steps, failed_step] = result.done;
  if (result.failure)
    log::write(log::Level::warning, "tenant.migration_failed",
               steps.empty() ? std::string("the tenant stays as it is")
                             : fmt::format("the tenant stays at schema {}, behind {}",
                                           from + std::ssize(steps), steps.back()),
               {.error = result.failure->text()});
  else if (!steps.empty())
    log::write(log::Level::info, "tenant.migrated",
               fmt::format("schema {} to {}: {}", from, to, fmt::join(steps, ", ")));
}

void migrate_tenants(HandleCache& handles, const TenantMigrations& migrations, const Clock& clock,
                     std::span<const TenantToMigrate> tenants, const FleetOptions& options,
                     FunctionRef<void(const TenantResult&)> on_result) {
  if (options.threads < 1 || options.threads > kMigrationThreadsMax)
    raise(ErrorCode::bad_options,
          fmt::format("{} tenants at a time are not from 1 to {}", options.threads, kMigrationThreadsMax));
  check_migrations(migrations, options.to);
  FleetRun(handles, migrations, clock, tenants, options, on_result).run();
}

std::vector<std::size_t> wave_ends(std::string_view waves, std::size_t tenants) {
  constexpr int kWhole = 100;
  std::vector<std::size_t> ends;
  int before = 0;
  for (std::string_view rest = waves; before < kWhole;) {
    const std::size_t comma = rest.find(',');
    const int percent = percentage(rest.substr(0, comma), waves);
    if (percent <= before || percent > kWhole) refuse_waves(waves);
    if ((percent == kWhole) != (comma == std::string_view::npos)) refuse_waves(waves);
    ends.push_back((tenants * static_cast<std::size_t>(percent) + kWhole - 1) / kWhole);
    before = percent;
    if (comma != std::string_view::npos) rest.remove_prefix(comma + 1);
  }
  return ends;
}

}  // namespace tenure
