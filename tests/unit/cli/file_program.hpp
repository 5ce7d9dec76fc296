#pragma once

#include "program.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/sqlite_store.hpp>

namespace tenure::cli {

// The program over a control database in a file.
class FileProgram : public Program {
 protected:
  FileProgram() {
    store = queue::open_sqlite_store({.path = path, .create = true}, clock);
    environment.open_store = [this](const queue::SqliteStoreOptions& options) {
      return std::shared_ptr(queue::open_sqlite_store(options, clock));
    };
    environment.look_at_store = [](const std::filesystem::path& file) {
      return queue::look_at_sqlite_store(file);
    };
    environment.look_at_schema = [](const std::filesystem::path& file, queue::PageCheck pages) {
      return queue::look_at_schema(file, pages);
    };
    environment.migrate_store = [this](const std::filesystem::path& file, const queue::AuditEntry& entry) {
      return queue::migrate_control_database(file, entry, clock);
    };
    environment.checkpoint_store = [this](const std::filesystem::path& file, const queue::AuditEntry& entry) {
      return queue::checkpoint_control_database(file, entry, clock);
    };
    environment.compact_store = [this](const std::filesystem::path& file, const queue::AuditEntry& entry) {
      return queue::compact_control_database(file, entry, clock);
    };
    environment.accept_copy = [this](const std::filesystem::path& file, queue::AcceptRepeats accept,
                                     const queue::AuditEntry& entry) {
      return queue::accept_control_copy(file, accept, entry, clock);
    };
    environment.variables.emplace_back("TENURE_STORE_PATH", path.string());
  }
  void execute(const std::string& sql) {
    sqlite::Connection(path, {}).execute({"script", "pragma ignore_check_constraints = 1; " + sql});
  }

  std::filesystem::path path = folder / "control.db";
};

}  // namespace tenure::cli
