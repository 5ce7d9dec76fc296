#include "../audit_chain.hpp"
#include "../job_rules.hpp"
#include "../tenant_rules.hpp"
#include "memory_writer.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/queue/memory_store.hpp>

#include <algorithm>
#include <mutex>

namespace tenure::queue {
namespace {

class MemoryStoreRegistry final : public TenantRegistry {
 public:
  // Of an operator, whose changes are recorded.
  struct Audit {
    AuditEntry entry;
    const Clock& clock;
  };

  MemoryStoreRegistry(std::mutex& mutex, MemoryTables& tables, std::int64_t& changes,
                      std::optional<Audit> audit = std::nullopt)
      : mutex_(mutex), tables_(tables), changes_(changes), audit_(std::move(audit)) {}

  std::optional<TenantRecord> find(const TenantName& name) override {
    const std::lock_guard lock(mutex_);
    return tables_.newest_tenant(name);
  }

  Result<TenantRecord> begin_create(const TenantName& name, WallTime now) override {
    const std::lock_guard lock(mutex_);
    const auto newest = tables_.newest_tenant(name);
    if (newest && newest->state == TenantState::provisioning) {
      const bool is_next = std::ranges::any_of(
          tables_.tenant_restores(), [&](const auto& entry) { return entry.second.next == newest->number; });
      if (is_next) return is_being_restored(name);
      return *newest;
    }
    if (newest && newest->state != TenantState::deleted) return tenant_exists(*newest);
    auto created = tables_.insert_tenant(name, Generation{newest ? newest->generation.value + 1 : 1}, now);
    note(name, created.generation, name_of(created.state));
    commit();
    return created;
  }

  Result<void> activate(const TenantName& name, Generation generation) override {
    const std::lock_guard lock(mutex_);
    const auto newest = tables_.newest_tenant(name);
    if (auto row = check_activation(newest, name, generation); !row) return row;
    tables_.set_tenant_state(newest->number, TenantState::active);
    note(name, generation, name_of(TenantState::active));
    commit();
    return {};
  }

  // A tenant for which jobs were accepted meanwhile stays provisioning: they wait for whoever creates it.
  void abandon_create(const TenantName& name, Generation generation) override {
    const std::lock_guard lock(mutex_);
    const auto newest = tables_.newest_tenant(name);
    if (!newest || newest->generation != generation || newest->state != TenantState::provisioning) return;
    if (tables_.has_jobs(newest->number)) return;
    tables_.erase_tenant(newest->number);
    note(name, generation, "taken back");
    commit();
  }

  std::vector<TenantRecord> list(const std::optional<TenantName>& after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<TenantRecord> tenants;
    for (TenantSummary& summary : MemoryReader{tables_}.tenants(after, limit))
      tenants.push_back(std::move(summary.tenant));
    return tenants;
  }

  void sync() override {}

  void set_state(const TenantName& name, TenantState state) {
    const std::lock_guard lock(mutex_);
    const auto newest = tables_.newest_tenant(name);
    if (!newest) raise(unknown_tenant(name).value());
    tables_.set_tenant_state(newest->number, state);
    commit();
  }

 private:
  void note(const TenantName& name, Generation generation, std::string_view state) {
    if (!audit_) return;
    AuditEntry entry = audit_->entry;
    entry.subject = audit_subject(name, generation, state);
    entry.count = 1;
    tables_.append_audit(entry, audit_->clock.wall());
  }
  void commit() {
    if (tables_.keep()) ++changes_;
  }

  std::mutex& mutex_;
  MemoryTables& tables_;
  std::int64_t& changes_;
  const std::optional<Audit> audit_;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(const MemoryStoreOptions& options)
      : payload_max_(std::min(options.payload_max, limits::kPayloadMax)), keys_(options.keys) {}

  void write(Durability, FunctionRef<void(StoreWriter&)> work) override {
    const std::lock_guard lock(mutex_);
    MemoryWriter writer(tables_, payload_max_, keys_);
    try {
      work(writer);
    } catch (...) {
      tables_.undo();
      throw;
    }
    if (tables_.keep()) ++changes_;  // as in a file, where an empty commit is none
    tell(writer.take_batch_news());
  }

  void read(FunctionRef<void(JobReader&)> work) override {
    const std::lock_guard lock(mutex_);
    MemoryReader reader(tables_);
    work(reader);
  }

  void sync() override {}
  Result<std::string> outbox_row(const NewJob& job) override {
    return make_outbox_row(job, payload_max_, keys_);
  }
  std::int64_t change_counter() override {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  void checkpoint(std::int64_t) override {}
  bool tidy() override { return false; }
  TenantRegistry& registry() override { return registry_; }
  std::unique_ptr<TenantRegistry> audited_registry(AuditEntry entry, const Clock& clock) override {
    return std::make_unique<MemoryStoreRegistry>(mutex_, tables_, changes_,
                                                 MemoryStoreRegistry::Audit{std::move(entry), clock});
  }
  MemoryStoreRegistry& own_registry() { return registry_; }

 private:
  std::size_t payload_max_;
  const KeyRing keys_;
  std::mutex mutex_;
  MemoryTables tables_;
  std::int64_t changes_ = 0;
  MemoryStoreRegistry registry_{mutex_, tables_, changes_};
};

}  // namespace

std::unique_ptr<Store> make_memory_store(const MemoryStoreOptions& options) {
  return std::make_unique<MemoryStore>(options);
}

void set_tenant_state_for_test(Store& memory_store, const TenantName& tenant, TenantState state) {
  auto* store = dynamic_cast<MemoryStore*>(&memory_store);
  TENURE_INVARIANT(store != nullptr);
  store->own_registry().set_state(tenant, state);
}

}  // namespace tenure::queue
