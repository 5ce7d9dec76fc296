#include "group_commit.hpp"
#include "queue_file.hpp"
#include "reader_pool.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/database.hpp>

#include <optional>
#include <string>

namespace tenure::sqlite {
namespace {

ConnectionOptions with_access(ConnectionOptions options, Access access) {
  options.access = access;
  return options;
}

// A connection that is opened at its first use: many databases never need theirs.
struct LazyConnection {
  std::mutex mutex = {};
  std::optional<Connection> connection = {};

  // The caller holds `mutex`.
  Connection& open(const std::filesystem::path& path, const ConnectionOptions& options) {
    return connection ? *connection : connection.emplace(path, options);
  }
};

}  // namespace

struct Database::Impl {
  Impl(const std::filesystem::path& file, const DatabaseOptions& database_options)
      : options(database_options.connection),
        writer(file, options),
        readers(file, options, database_options.readers_max) {
    if (database_options.writer_queue) queue.emplace(writer.path().string() + kQueueSuffix);
    commits.emplace(writer, queue ? &*queue : nullptr, database_options.queue_wait_max,
                    database_options.at_begin);
  }

  ConnectionOptions options;
  // Destroyed last: only a connection that can write checkpoints and removes the WAL when it closes.
  Connection writer;
  std::optional<WriterQueue> queue;
  std::optional<GroupCommit> commits;
  ReaderPool readers;
  LazyConnection checkpointer;
  LazyConnection observer;
  ProcessBound process;

  // First of all: a mutex may have been copied while another thread had it.
  void require_own_process() const { process.check("the database"); }
};

Database::Database(const std::filesystem::path& path, const DatabaseOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {}

Database::~Database() {
  if (impl_->process.is_inherited()) static_cast<void>(impl_.release());
}

void Database::write(Durability durability, FunctionRef<void(Connection&)> work) {
  impl_->require_own_process();
  impl_->commits->write(durability, work);
}

void Database::read(FunctionRef<void(Connection&)> work) {
  impl_->require_own_process();
  impl_->readers.read(work);
}

void Database::sync() {
  impl_->require_own_process();
  impl_->commits->sync();
}

CheckpointResult Database::checkpoint() {
  // Before the gate closes, so that the checkpoint's own sync of the WAL finds little to do; and before
  // anything is opened, because it notices a file that is gone.
  sync();
  const std::lock_guard lock(impl_->checkpointer.mutex);
  Connection& checkpointer =
      impl_->checkpointer.open(impl_->writer.path(), with_access(impl_->options, Access::read_write));
  CheckpointResult result;
  impl_->commits->checkpoint([&](Connection& gate) { return result = checkpoint_gated(gate, checkpointer); });
  return result;
}

std::int64_t Database::wal_bytes() const { return sqlite::wal_bytes(impl_->writer.path()); }

std::int64_t Database::bytes_to_checkpoint() const { return impl_->commits->bytes_to_checkpoint(); }

std::int64_t Database::data_version() {
  impl_->require_own_process();
  // A connection of its own: the number of one connection says nothing about another's, nor about its own
  // commits.
  const std::lock_guard lock(impl_->observer.mutex);
  return impl_->observer.open(impl_->writer.path(), with_access(impl_->options, Access::read_only))
      .data_version();
}

const std::filesystem::path& Database::path() const { return impl_->writer.path(); }

Database::Counters Database::counters() const { return impl_->commits->counters(); }

}  // namespace tenure::sqlite
