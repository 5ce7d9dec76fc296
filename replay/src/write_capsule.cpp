#include "capsule_digest.hpp"
#include "capsule_rows.hpp"
#include "files.hpp"
#include "redact.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/run_watched.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/file_name.hpp>
#include <tenure/tenancy/own_tables.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <sys/stat.h>
#include <system_error>

namespace tenure::replay {
namespace {

namespace fs = std::filesystem;
using sqlite::Query;

constexpr Query kTouch{"touch_snapshot", "select count(*) from main.sqlite_schema"};
constexpr Query kBytes{"bytes_of_snapshot", R"sql(
  select pages.page_count * sizes.page_size from pragma_page_count as pages, pragma_page_size as sizes)sql"};
constexpr Query kForgetOutbox{"forget_outbox", "delete from main.tenure_outbox"};
// Samples of the values of indexed columns.
constexpr Query kHasSamples{"has_samples", "select 1 from main.sqlite_schema where name = 'sqlite_stat4'"};
constexpr Query kForgetSamples{"forget_samples", "delete from main.sqlite_stat4"};

void make_folder_of_capsules(const fs::path& folder) {
  constexpr mode_t kOwnerOnly = 0700;
  const int error = make_folder_with_mode(folder, kOwnerOnly);
  if (error != 0 && error != EEXIST) raise_system(error, "the folder of capsules cannot be made", folder);
}

std::int64_t bytes_of_file(const fs::path& file) {
  struct stat status {};
  return ::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

std::int64_t bytes_of_folder(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::end(at); at.increment(error))
    bytes += bytes_of_file(at->path());
  if (error) raise_system(error.value(), "the folder of capsules cannot be read", folder);
  return bytes;
}

// `in_folder` is what is there without it.
void require_room(std::int64_t bytes, std::int64_t in_folder, const CapsuleLimits& limits,
                  const fs::path& folder) {
  if (bytes > limits.bytes_max)
    raise(ErrorCode::limit_reached,
          fmt::format("the capsule would have {} bytes, at most {} are allowed", bytes, limits.bytes_max), {},
          folder.string());
  if (in_folder + bytes > limits.folder_bytes_max)
    raise(
        ErrorCode::limit_reached,
        fmt::format("the capsule has {} bytes, and with it the folder of capsules would have {}; at most {} "
                    "are allowed, so remove some of them",
                    bytes, in_folder + bytes, limits.folder_bytes_max),
        {}, folder.string());
}

// What has no place in a capsule is gone from the rows, and still in the free parts of the file.
void make_rows(sqlite::Connection& connection, const Capsule& capsule, const queue::Mask& mask) {
  connection.execute(kForgetOutbox);
  const bool has_samples = connection.statement(kHasSamples).step();
  if (has_samples) connection.execute(kForgetSamples);
  redact_tables(connection, mask);
  redact_receipts(connection, capsule.head.job.id, mask);
  make_capsule_tables(connection);
  write_rows(connection, capsule);
}

// Into another file: in place it would need as much memory or disk, and give rows without a key of their own new numbers.
void vacuum_into(sqlite::Connection& connection, const fs::path& target) {
  std::string name;
  for (const char c : target.native()) name += c == '\'' ? std::string{"''"} : std::string{c};
  connection.execute({"vacuum_into", fmt::format("vacuum main into '{}'", name)});
}

// By the rules of reading it.
void seal_by_digest(sqlite::Connection& connection, FunctionRef<void()> look) {
  sqlite::limit_values_by_file(connection);
  write_digest(connection, digest_of(connection, look));
}

// On a connection of its own, with a look before it and each few milliseconds.
void do_step(const fs::path& file, FunctionRef<void()> look, FunctionRef<void(sqlite::Connection&)> step) {
  look();
  sqlite::Connection connection(file, {.access = sqlite::Access::alone});
  sqlite::run_watched(connection, look, [&] { step(connection); });
}

Capsule redacted_capsule(const Capsule& capsule, const queue::Mask& mask) {
  Capsule made{capsule.head, redacted(capsule.run, mask)};
  made.head.job = redacted(capsule.head.job, mask);
  if (const auto envelope = queue::read_envelope(capsule.head.job.envelope)) {
    const queue::Secrets secrets(mask, envelope->arguments);
    made.run.cursor = secrets.hidden_in(made.run.cursor);
    for (RecordedCall& call : made.run.calls)
      if (call.failure) call.failure = secrets.hidden_in(*call.failure);
  }
  made.head.masked = mask.patterns();
  made.head.tenure_version = TENURE_VERSION;
  return made;
}

}  // namespace

TenantSnapshot take_snapshot(const TenantHandle& handle) {
  TenantSnapshot snapshot = handle.begin_read();
  OwnTables tables{snapshot};
  static_cast<void>(tables.statement(kTouch).row());
  return snapshot;
}

fs::path write_capsule(const TenantSnapshot& before, const Capsule& capsule, const queue::Mask& mask,
                       const fs::path& folder, const CapsuleLimits& limits,
                       const std::function<void()>& go_on) {
  const auto next_step = [&] {
    if (go_on) go_on();
  };
  OwnTables tables{before};
  make_folder_of_capsules(folder);
  remove_unfinished(folder);
  const std::int64_t in_folder = bytes_of_folder(folder);
  require_room(tables.statement(kBytes).row().integer(0), in_folder, limits, folder);

  const std::string name = capsule_name(capsule.head.job.id, capsule.head.job.claim.token);
  fs::path path = folder / name;
  Unfinished made(folder / ("." + name + std::string{kPartEnding}));
  {
    const Unfinished copy(folder / ("." + name + std::string{kCopyEnding}));
    copy_database(tables.connection(), copy.path(), [&](const sqlite::CopyProgress&) { next_step(); });
    do_step(copy.path(), next_step, [&](sqlite::Connection& connection) {
      make_rows(connection, redacted_capsule(capsule, mask), mask);
    });
    do_step(copy.path(), next_step,
            [&](sqlite::Connection& connection) { vacuum_into(connection, made.path()); });
  }
  do_step(made.path(), next_step,
          [&](sqlite::Connection& connection) { seal_by_digest(connection, next_step); });
  require_room(bytes_of_file(made.path()), in_folder, limits, folder);
  next_step();
  made.keep_as(path, next_step);
  return path;
}

}  // namespace tenure::replay
