#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace tenure::sqlite {

// A few connections for reading, opened when first needed. Threads: every method from any thread.
class ReaderPool {
 public:
  static constexpr std::size_t kReadersMax = 64;

  // BadOptions unless `readers_max` is 1 to kReadersMax.
  ReaderPool(const std::filesystem::path& path, ConnectionOptions options, std::size_t readers_max);

  // Waits for a connection, then runs `work` inside one snapshot. A connection whose file gave trouble is not
  // kept.
  void read(FunctionRef<void(Connection&)> work);

 private:
  [[nodiscard]] std::unique_ptr<Connection> acquire();
  void release(std::unique_ptr<Connection> connection);

  std::filesystem::path path_;
  ConnectionOptions options_;
  std::size_t readers_max_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t open_ = 0;
};

}  // namespace tenure::sqlite
