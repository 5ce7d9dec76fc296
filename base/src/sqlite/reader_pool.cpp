#include "reader_pool.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/transaction.hpp>

#include <utility>

namespace tenure::sqlite {
namespace {

// After these the file is a suspect, and only a new connection can clear it.
bool is_suspicious(ErrorCode code) {
  return code == ErrorCode::disk || code == ErrorCode::database_damaged ||
         code == ErrorCode::database_moved || code == ErrorCode::disk_sync_failed;
}

}  // namespace

ReaderPool::ReaderPool(const std::filesystem::path& path, ConnectionOptions options, std::size_t readers_max)
    : path_(path), options_(options), readers_max_(readers_max) {
  if (readers_max < 1 || readers_max > kReadersMax)
    raise(ErrorCode::bad_options, "readers_max must be 1 to " + std::to_string(kReadersMax), {},
          path.string());
  options_.access = Access::read_only;
  idle_.reserve(readers_max);  // so that a return cannot fail
}

void ReaderPool::read(FunctionRef<void(Connection&)> work) {
  std::unique_ptr<Connection> connection = acquire();
  try {
    const ReadTransaction snapshot{*connection};
    work(*connection);
  } catch (const Error& error) {
    if (is_suspicious(error.code())) connection.reset();
    release(std::move(connection));
    throw;
  } catch (...) {
    release(std::move(connection));
    throw;
  }
  release(std::move(connection));
}

std::unique_ptr<Connection> ReaderPool::acquire() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return !idle_.empty() || open_ < readers_max_; });
  if (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }
  ++open_;
  lock.unlock();
  try {
    return std::make_unique<Connection>(path_, options_);
  } catch (...) {
    release(nullptr);
    throw;
  }
}

// Null where there is none to keep.
void ReaderPool::release(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  if (connection == nullptr) --open_;
  else idle_.push_back(std::move(connection));
  returned_.notify_one();
}

}  // namespace tenure::sqlite
