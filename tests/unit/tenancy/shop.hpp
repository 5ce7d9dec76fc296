#pragma once

#include "support/temporary_folder.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/tenancy/ref.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::testing {

inline const TenantName kAcme{"acme"};

inline std::vector<sqlite::Migration> shop_migrations() {
  return {
      {.number = 1,
       .name = "0001_invoice",
       .sql =
           "create table invoice(id integer primary key, total integer not null, sent_us integer) strict"}};
}

inline TenantFiles files_in(const std::filesystem::path& folder) {
  return TenantFiles{folder.string() + "/tenants/%{bucket}/%{tenant}.db"};
}

// A small application: its tenants have invoices.
class Shop {
 public:
  explicit Shop(HandleCacheOptions options = {.wait_max = std::chrono::milliseconds{0},
                                              .application = "shop"})
      : handles(files_in(folder.path()), std::move(options)) {}

  HandleLease create(std::string_view name) {
    tenants.create(TenantName{name});
    return tenants.open(TenantName{name});
  }
  HandleLease open(std::string_view name) { return tenants.open(TenantName{name}); }
  [[nodiscard]] std::filesystem::path path(std::string_view name) const {
    return handles.files().path_for(TenantName{name});
  }
  // Writes the stamp as another process would.
  void restamp(std::string_view name, TenantState state, std::int64_t generation = 1) const {
    sqlite::Connection connection{path(name), {}};
    sqlite::WriteTransaction transaction{connection};
    Stamp stamp = *read_stamp(connection);
    stamp.state = state;
    stamp.generation = Generation{generation};
    write_stamp(connection, stamp);
    transaction.commit();
  }

  TemporaryFolder folder;
  VirtualClock clock;
  std::unique_ptr<queue::Store> store = queue::make_memory_store();
  TenantRegistry& registry = store->registry();
  HandleCache handles;
  Tenants tenants{registry, handles, clock, {.application = "shop", .migrations = shop_migrations()}};
};

inline std::vector<std::filesystem::path> files_under(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(folder)) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder})
    if (!entry.is_directory()) found.push_back(entry.path());
  return found;
}

// The error that `function` throws; nothing where it returns.
template <class Function>
std::optional<Failure> failure_of(Function&& function) {
  try {
    static_cast<void>(function());
  } catch (const Error& error) {
    return error.failure();
  }
  return std::nullopt;
}
template <class Function>
std::optional<ErrorCode> code_of(Function&& function) {
  const std::optional<Failure> failure = failure_of([&] {
    function();
    return 0;
  });
  return failure ? std::optional{failure->code} : std::nullopt;
}

struct Invoice {
  std::int64_t id = 0;
  std::int64_t total = 0;
};
struct Currency {
  std::string code;
};

}  // namespace tenure::testing

template <>
struct tenure::Model<tenure::testing::Invoice> {
  static constexpr std::string_view name = "Invoice";
  static std::optional<testing::Invoice> load(TenantReader& reader, std::string_view id) {
    for (const TenantRow& row : reader.query("select id, total from invoice where id = ?", id))
      return testing::Invoice{.id = row.integer(0), .total = row.integer(1)};
    return std::nullopt;
  }
};

template <>
struct tenure::Model<tenure::testing::Currency> {
  static constexpr std::string_view name = "Currency";
  static constexpr bool shared = true;
  static std::optional<testing::Currency> load(TenantReader&, std::string_view id) {
    return testing::Currency{std::string{id}};
  }
};
