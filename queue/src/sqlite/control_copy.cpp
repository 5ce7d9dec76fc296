#include "control_schema.hpp"
#include "defects.hpp"
#include "restore_rows.hpp"
#include "sqlite_reader.hpp"

#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/copy_file.hpp>
#include <tenure/base/sqlite/database_file.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/run_watched.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/copies.hpp>

#include <cerrno>
#include <functional>
#include <string>
#include <sys/stat.h>

namespace tenure::queue {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Query;

// Of a copy: when it was made; of a copy of one that nobody has accepted, when that was. ?1 now_us. Index: primary key.
constexpr Query kNoteCopied{"note_copied", R"sql(
  insert into meta(name, value) values ('copied_us', ?1) on conflict(name) do nothing)sql"};
constexpr Query kPageSize{"page_size", "pragma page_size"};

constexpr mode_t kModeOfCopy = 0640;  // as readable as the control database

void note_copied(const fs::path& path, WallTime now) {
  Connection connection(path, {});
  sqlite::WriteTransaction transaction{connection};
  connection.statement(kNoteCopied).bind(to_us(now)).run();
  transaction.commit();
}

// Work on a copy. AccessRefused where it does not rest.
void look_at_copy(const fs::path& path, FunctionRef<void(Connection&)> work) {
  if (!sqlite::look_at_file(path, work))
    raise(ErrorCode::access_refused,
          "it is no copy that rests: there is a log beside it (-wal or -journal), or somebody writes to "
          "it. Copies are "
          "made by "
          "tenure store backup FILE",
          {}, path.string());
}

// `look` now and then, as it takes as long as reading the copy.
void require_whole(const fs::path& path, FunctionRef<void()> look) {
  const bool alone = sqlite::look_at_file(path, [&](Connection& connection) {
    std::optional<std::string> problem;
    sqlite::run_watched(connection, look, [&] { problem = first_page_problem(connection, PageCheck::full); });
    if (problem)
      raise(ErrorCode::database_damaged,
            "the copy has damaged pages, as the control database must have: " + *problem, {}, path.string());
  });
  if (!alone) raise(ErrorCode::disk, "the log of the copy could not be moved into it", {}, path.string());
}

std::int64_t page_bytes(Connection& source) { return source.statement(kPageSize).row().integer(0); }

class CopiedStore final : public ReadableStore {
 public:
  explicit CopiedStore(const fs::path& path) : path_(path) {}

  void read(FunctionRef<void(JobReader&)> work) override {
    look_at_copy(path_, [&](Connection& connection) {
      require_schema(connection, steps_);
      SqliteJobReader reader(connection, no_log_);
      work(reader);
    });
  }

  // Also where the schema is older: whoever asks for jobs is refused then.
  std::optional<WallTime> copied() {
    std::optional<WallTime> time;
    look_at_copy(path_, [&](Connection& connection) {
      static_cast<void>(schema_state(connection, steps_));
      time = copied_when(connection);
    });
    return time;
  }

 private:
  const fs::path path_;
  const std::vector<sqlite::Migration> steps_ = control_migrations();
  const std::function<std::int64_t()> no_log_ = [] { return 0; };
};

WallTime last_written(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) raise_system(errno, "the file cannot be looked at", path);
  return from_us(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
}

}  // namespace

std::int64_t copy_control_database(const fs::path& path, const fs::path& target, const Clock& clock,
                                   FunctionRef<void(const CopyProgress&)> progress) {
  Connection source(path, {.access = sqlite::Access::read_only});
  static_cast<void>(schema_state(source, control_migrations()));
  const sqlite::CopyFile unfinished(target, kModeOfCopy);
  const WallTime now = clock.wall();
  const std::int64_t page = page_bytes(source);
  sqlite::copy_database(source, unfinished.path(), [&](const sqlite::CopyProgress& done) {
    progress({done.pages_done * page, done.pages * page});
  });
  note_copied(unfinished.path(), now);
  const auto bytes = static_cast<std::int64_t>(fs::file_size(unfinished.path()));
  require_whole(unfinished.path(), [&] { progress({bytes, bytes}); });
  sqlite::sync_database_file(unfinished.path());
  unfinished.finish();
  return bytes;
}

ControlCopy open_control_copy(const fs::path& path) {
  auto store = std::make_unique<CopiedStore>(path);
  const auto copied = store->copied();
  return {std::move(store), copied ? *copied : last_written(path)};
}

SchemaState look_at_schema_of_copy(const fs::path& path, PageCheck page_check) {
  SchemaState state;
  look_at_copy(path, [&](Connection& connection) {
    state = schema_state(connection, control_migrations());
    state.page_problem = first_page_problem(connection, page_check);
  });
  return state;
}

}  // namespace tenure::queue
