#pragma once

#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <unordered_map>

// How many descriptors the kernel counts for the open connections to tenants' databases. A connection has one of the database and one
// of its -wal; the -shm is one for all connections of a process to a file. SQLite keeps a closed connection's descriptor of the
// database as long as another connection of the process has that file open, since POSIX would drop that one's locks with it, and gives
// it to the next connection of the same access (os_unix.c, findReusableFd). Threads: one at a time.
namespace tenure::detail {

class DescriptorAccount {
  struct Files {
    int connections = 0;
    int kept_to_write = 0;  // of connections that are closed
    int kept_to_read = 0;
    [[nodiscard]] int descriptors() const {
      return connections == 0 ? 0 : 2 * connections + kept_to_write + kept_to_read + 1;
    }
    [[nodiscard]] int& kept(HandleAccess access) {
      return access == HandleAccess::read_only ? kept_to_read : kept_to_write;
    }
  };

 public:
  void opened(const TenantName& tenant, HandleAccess access);
  void closed(const TenantName& tenant, HandleAccess access);
  // A connection that may write has come and gone beside those that are open.
  void visited(const TenantName& tenant);

  [[nodiscard]] int in_use() const { return in_use_; }
  // Connections that are closed in thought.
  class Closings {
   public:
    explicit Closings(const DescriptorAccount& account) : account_(account), in_use_(account.in_use_) {}
    void close(const TenantName& tenant, HandleAccess access);
    // Whether one more connection to it keeps within so many.
    [[nodiscard]] bool make_room_for(const TenantName& tenant, HandleAccess access,
                                     int descriptors_max) const;

   private:
    [[nodiscard]] Files files_of(const TenantName& tenant) const;
    const DescriptorAccount& account_;
    std::unordered_map<TenantName, Files> changed_;
    int in_use_;
  };

  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  void change(const TenantName& tenant, const Files& files);

  std::unordered_map<TenantName, Files> files_;
  int in_use_ = 0;
  std::size_t connections_ = 0;
};

}  // namespace tenure::detail
