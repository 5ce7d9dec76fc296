#pragma once

#include <tenure/queue/memory_store.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace tenure::testing {

// A registry that survives the process that used it: each change is a line of a file, and is made again when
// it is opened.
class RecordedRegistry final : public TenantRegistry {
 public:
  explicit RecordedRegistry(const std::filesystem::path& file) : file_(file) {
    std::ifstream lines{file};
    std::string verb, name;
    std::int64_t number = 0;
    while (lines >> verb >> name >> number) {
      if (verb == "begin") static_cast<void>(registry_.begin_create(TenantName{name}, from_us(number)));
      if (verb == "activate") static_cast<void>(registry_.activate(TenantName{name}, Generation{number}));
      if (verb == "abandon") registry_.abandon_create(TenantName{name}, Generation{number});
    }
  }

  std::optional<TenantRecord> find(const TenantName& name) override { return registry_.find(name); }
  Result<TenantRecord> begin_create(const TenantName& name, WallTime now) override {
    note("begin", name, to_us(now));
    return registry_.begin_create(name, now);
  }
  Result<void> activate(const TenantName& name, Generation generation) override {
    note("activate", name, generation.value);
    return registry_.activate(name, generation);
  }
  void abandon_create(const TenantName& name, Generation generation) override {
    note("abandon", name, generation.value);
    registry_.abandon_create(name, generation);
  }
  std::vector<TenantRecord> list(const std::optional<TenantName>& after, std::size_t limit) override {
    return registry_.list(after, limit);
  }
  void sync() override {}

 private:
  void note(const char* verb, const TenantName& name, std::int64_t number) const {
    std::ofstream{file_, std::ios::app} << verb << ' ' << name.text() << ' ' << number << '\n';
  }

  std::filesystem::path file_;
  std::unique_ptr<queue::Store> store_ = queue::make_memory_store();
  TenantRegistry& registry_ = store_->registry();
};

}  // namespace tenure::testing
