#include "copy_pace.hpp"
#include "filter_text.hpp"
#include "listing.hpp"
#include "nouns.hpp"
#include "progress.hpp"
#include "tenants.hpp"
#include "written_tenants.hpp"

#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>
#include <tenure/tenancy/tenant_copy.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <system_error>

// Copies of tenants' databases while others write to them: of one to a file, or of many to a folder.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPerSecond = "/s";
constexpr std::string_view kLockName = ".tenure-backup.lock";

enum class CopyResult : std::uint8_t { copied, there, left_out, failed };

std::string_view name_of(CopyResult result) {
  switch (result) {
    case CopyResult::copied:
      return "copied";
    case CopyResult::there:
      return "there";
    case CopyResult::left_out:
      return "left_out";
    case CopyResult::failed:
      return "failed";
  }
  return "unknown";
}

struct CopiedTenant {
  TenantRecord tenant;
  CopyResult result = CopyResult::copied;
  fs::path path = {};
  std::int64_t size_bytes = 0;
  std::string why = {};
};

std::int64_t rate_of(const Session& session) {
  if (!session.has("rate")) return 0;
  std::string_view text = session.option("rate");
  if (text.ends_with(kPerSecond)) text.remove_suffix(kPerSecond.size());
  const auto bytes = config::parse_size(text);
  if (!bytes || *bytes == 0)
    raise(ErrorCode::bad_options,
          fmt::format("--rate '{}' is no rate like 20MiB/s", escaped(session.option("rate"), 64)));
  return static_cast<std::int64_t>(*bytes);
}

fs::path absolute_path(std::string_view word) {
  std::error_code error;
  fs::path path = fs::absolute(word, error);
  if (error)
    raise(ErrorCode::disk,
          "it is named from the working folder on, which cannot be told: " + error.message());
  return path;
}

void require_folder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw Refused{"FolderMissing",
                  fmt::format("there is no folder {} for the copy; make it", escaped(folder.string(), 4096))};
}

class Copies {
 public:
  explicit Copies(Session& session)
      : session_(session),
        files_(session.settings().tenants.path),
        pace_(rate_of(session), session.environment().clock.steady()) {
    if (session.is_offline())
      raise(ErrorCode::bad_options, "backup copies the tenants' databases, which lie beside no copy");
  }

  TenantCopy copy(const TenantRecord& tenant, const fs::path& target,
                  FunctionRef<void(std::int64_t done, std::int64_t total)> show) {
    return copy_tenant(files_,
                       {.tenant = tenant.name,
                        .generation = tenant.generation,
                        .application = session_.settings().application.name},
                       target, session_.environment().clock, [&](std::int64_t done, std::int64_t total) {
                         show(done, total);
                         keep_pace(done);
                       });
  }

  [[nodiscard]] const TenantFiles& files() const { return files_; }

 private:
  void keep_pace(std::int64_t bytes) {
    Environment& environment = session_.environment();
    pace_.copied(bytes);
    if (environment.pause && !environment.pause(pace_.wait(environment.clock.steady())))
      raise(ErrorCode::interrupted, "the copy was ended before it was complete, and nothing of it is left");
  }

  Session& session_;
  TenantFiles files_;
  CopyPace pace_;
};

// Whoever has a copy has all that is in it.
void record(Session& session, std::int64_t count, const std::string& subject) {
  session.change([&](queue::StoreWriter&) { return Changed{count, subject}; });
}

TenantRecord tenant_to_copy(Session& session, const TenantName& name) {
  std::optional<queue::TenantSummary> summary;
  session.readable_store().read([&](queue::JobReader& reader) { summary = reader.tenant(name); });
  if (!summary)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list",
          name.text());
  if (summary->tenant.state == TenantState::deleted)
    raise(ErrorCode::tenant_deleted,
          fmt::format("{} was deleted in generation {}", name.text(), summary->tenant.generation.value),
          name.text());
  return summary->tenant;
}

void write_copied(json::Writer& writer, const CopiedTenant& copied) {
  writer.begin_object();
  write_text(writer, "name", copied.tenant.name.text());
  writer.key("generation").integer(copied.tenant.generation.value);
  writer.key("result").string(name_of(copied.result));
  write_text(writer, "path", copied.path.string());
  writer.key("size_bytes").integer(copied.size_bytes);
  write_text(writer, "why", copied.why);
  writer.end_object();
}

std::string copied_json(std::span<const CopiedTenant> items, bool is_dry_run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.backup/1").key("items").begin_array();
  for (const CopiedTenant& each : items) write_copied(writer, each);
  writer.end_array();
  for (const CopyResult result :
       {CopyResult::copied, CopyResult::there, CopyResult::left_out, CopyResult::failed})
    writer.key(name_of(result)).integer(std::ranges::count(items, result, &CopiedTenant::result));
  writer.key("dry_run").boolean(is_dry_run).end_object();
  return out;
}

ExitCode back_up_one(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words()[0]));
  const fs::path target = absolute_path(session.words()[1]);
  require_folder(target.parent_path());
  Copies copies(session);
  CopiedTenant copied{.tenant = tenant_to_copy(session, name), .path = target};
  if (session.has("dry-run")) {
    session.note(fmt::format("would copy {}, generation {}, to {}", name.text(),
                             copied.tenant.generation.value, escaped(target.string(), 4096)));
    if (session.json()) session.print_json(copied_json({}, true));
    return ExitCode::done;
  }
  const std::string subject =
      fmt::format("{}, generation {}, to {}", name.text(), copied.tenant.generation.value, target.string());
  record(session, 1, subject + ", begun");
  {
    Progress progress(session, bytes_text);
    copied.size_bytes = copies
                            .copy(copied.tenant, target,
                                  [&](std::int64_t done, std::int64_t total) { progress.show(done, total); })
                            .size_bytes;
  }
  record(session, 1, fmt::format("{}, complete, {} bytes", subject, copied.size_bytes));
  if (session.json()) session.print_json(copied_json({&copied, 1}, false));
  else
    session.print(fmt::format("copied {}, generation {}, to {}, {}\n", name.text(),
                              copied.tenant.generation.value, escaped(target.string(), 4096),
                              bytes_text(copied.size_bytes, session.style())));
  return ExitCode::done;
}

// One run at a time copies into a folder, so that what an interrupted one has left unfinished is nobody's.
class FolderOfCopies {
 public:
  explicit FolderOfCopies(fs::path folder) : folder_(std::move(folder)) {
    const fs::path lock = folder_ / kLockName;
    lock_ = Descriptor{::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!lock_.is_open()) raise_system(errno, "the folder cannot be locked", lock);
    if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0)
      raise(ErrorCode::store_busy, "another backup copies into this folder", {}, folder_.string());
  }

  [[nodiscard]] fs::path path_for(const TenantRecord& tenant) const {
    return folder_ / fmt::format("{}.{}.db", tenant.name.text(), tenant.generation.value);
  }
  static void remove_unfinished(const fs::path& target) {
    std::error_code ignored;
    for (const std::string_view ending : {".partial", ".partial-wal", ".partial-shm", ".partial-journal"})
      fs::remove(target.string() + std::string{ending}, ignored);
  }

 private:
  fs::path folder_;
  Descriptor lock_;
};

class ManyCopies {
 public:
  ManyCopies(Session& session, fs::path folder) : session_(session), copies_(session), folder_(folder) {}

  std::vector<CopiedTenant> run(const std::vector<queue::TenantSummary>& tenants) {
    Progress progress(session_, number_text);
    for (const queue::TenantSummary& summary : tenants) {
      done_.push_back({.tenant = summary.tenant, .path = folder_.path_for(summary.tenant)});
      copy(done_.back());
      progress.show(std::ssize(done_), std::ssize(tenants));
    }
    return std::move(done_);
  }

 private:
  // An item of a batch: one that cannot be copied is named, and stops no other.
  void copy(CopiedTenant& item) {
    if (item.tenant.state == TenantState::provisioning) {
      item.result = CopyResult::left_out;
      item.why = "it is in creation";
      return;
    }
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(item.path, ignored))) {
      item.result = CopyResult::there;
      return;
    }
    FolderOfCopies::remove_unfinished(item.path);
    try {
      item.size_bytes = copies_.copy(item.tenant, item.path, [](std::int64_t, std::int64_t) {}).size_bytes;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted) throw;
      item.result = CopyResult::failed;
      item.why = error.what();
    }
  }

  Session& session_;
  Copies copies_;
  FolderOfCopies folder_;
  std::vector<CopiedTenant> done_;
};

std::int64_t count_of(std::span<const CopiedTenant> items, CopyResult result) {
  return std::ranges::count(items, result, &CopiedTenant::result);
}

void print_many(Session& session, std::span<const CopiedTenant> items) {
  if (session.json()) return session.print_json(copied_json(items, false));
  const ShowStyle& style = session.style();
  std::int64_t bytes = 0;
  for (const CopiedTenant& each : items) {
    bytes += each.size_bytes;
    if (!each.why.empty())
      session.note(fmt::format("{} {}: {}", each.result == CopyResult::failed ? "failed" : "left out",
                               each.tenant.name.text(), escaped(each.why, 1024)));
  }
  std::string text =
      fmt::format("copied {}, {}", counted(count_of(items, CopyResult::copied), "tenant", style),
                  bytes_text(bytes, style));
  for (const auto& [result, words] :
       {std::pair{CopyResult::there, "were there"}, std::pair{CopyResult::left_out, "left out"},
        std::pair{CopyResult::failed, "failed"}})
    if (const auto count = count_of(items, result); count > 0)
      text += fmt::format("; {} {}", number_text(count, style), words);
  session.print(text + "\n");
}

ExitCode back_up_many(Session& session) {
  const fs::path folder = absolute_path(session.option("folder"));
  require_folder(folder);
  static_cast<void>(rate_of(session));  // refused before anything is counted, in a dry run too
  const TenantFilter filter(session);
  const auto tenants =
      tenants_where(session, [&](queue::TenantSummary& tenant) { return filter.matches(tenant); });
  session.note(fmt::format("{} to copy to {}", counted(std::ssize(tenants), "tenant", session.style()),
                           escaped(folder.string(), 4096)));
  if (session.has("dry-run")) {
    if (session.json()) session.print_json(copied_json({}, true));
    return ExitCode::done;
  }
  ManyCopies copies(session, folder);
  const std::string subject = fmt::format("{}{}to {}", shell_text(session.words()),
                                          session.words().empty() ? "" : " ", folder.string());
  record(session, std::ssize(tenants), subject + ", begun");
  const std::vector<CopiedTenant> items = copies.run(tenants);
  record(session, count_of(items, CopyResult::copied), subject + ", complete");
  print_many(session, items);
  return count_of(items, CopyResult::failed) > 0 ? ExitCode::refused : ExitCode::done;
}

}  // namespace

ExitCode tenant_backup(Session& session) {
  if (!session.has("dry-run")) session.open_for_change();
  if (session.has("folder")) return back_up_many(session);
  const bool is_filter = std::ranges::any_of(
      session.words(), [](const std::string& word) { return word.find('=') != std::string::npos; });
  if (is_filter || session.words().empty())
    raise(ErrorCode::bad_options, "say --folder DIR, into which the tenants that match are copied");
  if (session.words().size() != 2)
    raise(ErrorCode::bad_options, "say which tenant, and to which file: tenure tenant backup NAME FILE");
  return back_up_one(session);
}

}  // namespace tenure::cli
