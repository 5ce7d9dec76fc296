#include "doctor_checks.hpp"
#include "listing.hpp"
#include "tenant_drain.hpp"
#include "tenant_tree.hpp"

#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

// `tenure doctor --rebuild-registry`: what the stamps of the tenants' files say is what the registry has lost.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRegisteredAtOnce = 500;
constexpr std::size_t kShownBytes = 1024;
constexpr std::string_view kCheckName = "registry";

// A generation by its file. `state`: what its stamp says.
struct StampedFile {
  queue::StampedTenant tenant;
  bool is_buried = false;
  std::int64_t size_bytes = 0;
};

Stamp stamp_of(const fs::path& path) {
  std::optional<Stamp> stamp;
  sqlite::look_at(path, [&](sqlite::Connection& connection) {
    sqlite::limit_values_by_file(connection);
    stamp = read_stamp(connection);
  });
  if (!stamp)
    raise(ErrorCode::wrong_tenant, "the file has no stamp, so it is no tenant's", {}, path.string());
  return *std::move(stamp);
}

// "acme.3.db"
struct GraveName {
  TenantName tenant;
  Generation generation;
};
std::optional<GraveName> grave_named(const std::string& file) {
  const fs::path name{file};
  if (name.extension() != ".db") return std::nullopt;
  const std::string number = name.stem().extension().string();
  auto tenant = TenantName::parse(name.stem().stem().string());
  std::int64_t generation = 0;
  if (!tenant || number.size() < 2) return std::nullopt;
  const char* const end = number.data() + number.size();
  const auto [read_until, error] = std::from_chars(number.data() + 1, end, generation);
  if (error != std::errc{} || read_until != end || generation < 1) return std::nullopt;
  return GraveName{*std::move(tenant), Generation{generation}};
}

class Rebuild {
 public:
  explicit Rebuild(Examination& examination)
      : examination_(examination),
        session_(examination.session()),
        files_(session_.settings().tenants.path),
        application_(session_.settings().application.name) {}

  std::int64_t run() {
    static_cast<void>(session_.registry());  // a control database that is not there is made
    look_at_tree();
    look_at_graveyard();
    // So that the newest of a name comes last: a later one that is known leaves no place for those before it.
    std::ranges::stable_sort(found_, {}, [](const StampedFile& file) {
      return std::tuple{file.tenant.name, file.tenant.generation, file.is_buried};
    });
    // Whose file is in its place still is not buried, whatever lies in the graveyard besides.
    const auto copies = std::ranges::unique(found_, {}, [](const StampedFile& file) {
      return std::pair{file.tenant.name, file.tenant.generation};
    });
    found_.erase(copies.begin(), copies.end());
    // What is in its place comes before the graves of its name: behind a later generation that lives they are those of a restore.
    std::ranges::stable_sort(found_, {}, [](const StampedFile& file) {
      return std::pair{file.tenant.name, file.is_buried};
    });
    for (std::span<const StampedFile> left = found_; !left.empty();) {
      const auto some = left.first(std::min(left.size(), kRegisteredAtOnce));
      left = left.subspan(some.size());
      register_some(some);
    }
    for (const TenantRecord& tenant : buried_)
      if (is_put_away(tenant)) hold_jobs_of(tenant);
    if (registered_ > 0) session_.wake();
    examination_.add(
        FindingLevel::ok, kCheckName,
        fmt::format("{} registered, of {} with a stamp", counted(registered_, "generation", session_.style()),
                    counted(std::ssize(found_), "file", session_.style())));
    return registered_;
  }

 private:
  // An item of a batch: a file that says nothing is a finding, and false.
  template <class Look>
  bool look_at(const fs::path& path, Look look) {
    try {
      look();
      return true;
    } catch (const Error& error) {
      examination_.add(FindingLevel::fail, kCheckName,
                       fmt::format("{} was not registered: {}", escaped(path.string(), kShownBytes),
                                   escaped(error.failure().text(), kShownBytes)));
      return false;
    }
  }

  void look_at_tree() {
    for (const TreeFile& file : files_of_tenants(files_)) {
      const bool is_read = look_at(file.path, [&] {
        files_.refuse_links(file.name);
        const Stamp stamp = stamp_of(file.path);
        require_of(stamp, file.name, stamp.generation, file.path);
        found_.push_back({.tenant = {file.name, stamp.generation, stamp.state}});
      });
      if (!is_read) unread_.insert(file.name);
    }
  }

  void look_at_graveyard() {
    const fs::path folder = files_.root() / ".graveyard";
    for (const std::string& name : names_in(folder)) {
      const auto grave = grave_named(name);
      if (!grave) continue;
      static_cast<void>(look_at(folder / name, [&] {
        const Stamp stamp = stamp_of(folder / name);
        require_of(stamp, grave->tenant, grave->generation, folder / name);
        std::error_code error;
        const auto size = fs::file_size(folder / name, error);
        found_.push_back({.tenant = {grave->tenant, grave->generation, TenantState::deleted},
                          .is_buried = true,
                          .size_bytes = error ? 0 : static_cast<std::int64_t>(size)});
      }));
    }
  }

  void require_of(const Stamp& stamp, const TenantName& name, Generation generation,
                  const fs::path& path) const {
    if (stamp.tenant == name && stamp.generation == generation && stamp.application == application_) return;
    raise(ErrorCode::wrong_tenant,
          fmt::format("it carries the stamp of {}, generation {}, of the application {}", stamp.tenant.text(),
                      stamp.generation.value, stamp.application),
          name.text(), path.string());
  }

  void register_some(std::span<const StampedFile> files) {
    std::int64_t registered = 0;
    session_.change([&](queue::StoreWriter& writer) {
      registered = 0;
      std::string subject;
      for (const StampedFile& file : files) {
        const auto record = register_one(writer, file);
        if (!record) continue;
        ++registered;
        subject += fmt::format("{}{} {} {}", subject.empty() ? "registered: " : ", ", file.tenant.name.text(),
                               file.tenant.generation.value, name_of(record->state));
      }
      return Changed{registered, subject};
    });
    registered_ += registered;
  }

  // Whoever has closed a file that was not moved yet wanted to delete the tenant, or to put a copy in its place, and the stamp is the same for
  // both. So nothing goes on, and an operator says which. Rows of an outbox may be there.
  std::optional<TenantRecord> register_one(queue::StoreWriter& writer, const StampedFile& file) {
    // The file in its place may be that very generation, and what lies in the graveyard a copy.
    if (file.is_buried && unread_.contains(file.tenant.name)) return std::nullopt;
    const WallTime now = session_.environment().clock.wall();
    const queue::NewDeletion deletion{.tenant = file.tenant.name,
                                      .uid = session_.who().uid,
                                      .login = session_.who().login,
                                      .reason = "the registry was rebuilt"};
    const bool is_closed = !file.is_buried && file.tenant.state == TenantState::deleted;
    queue::StampedTenant tenant = file.tenant;
    if (is_closed) tenant.state = TenantState::draining;
    const auto record = writer.register_tenant(tenant, now);
    if (!record) return std::nullopt;
    if (!file.is_buried) {
      writer.mark_outbox_of(record->number, now);
      return record;
    }
    writer.register_burial(
        record->number, deletion,
        {.size_bytes = file.size_bytes, .erase_at = now + session_.settings().tenants.undo_window}, now);
    buried_.push_back(*record);
    return record;
  }

  bool is_put_away(const TenantRecord& tenant) {
    std::optional<queue::DeletionRecord> deletion;
    session_.readable_store().read(
        [&](queue::JobReader& reader) { deletion = reader.deletion(tenant.number); });
    return deletion && deletion->is_restore;
  }

  // As the restore has done whose control database this is not: they wait for `tenure tenant reconcile`.
  void hold_jobs_of(const TenantRecord& tenant) {
    queue::Filter waiting =
        jobs_of_generations(tenant.name, {tenant.generation.value, tenant.generation.value}, kWaitingStates);
    waiting.terms.push_back({queue::FilterField::reason,
                             true,
                             {queue::Glob{std::string(name_of(queue::JobReason::generation)), true}}});
    TenantDrain(
        session_, tenant,
        {.waiting = std::move(waiting),
         .settle = [](queue::StoreWriter& writer, queue::JobId job) { return writer.hold_for_restore(job); },
         .settled = "held",
         .end_claim = {},
         .ended = {}})
        .settle_waiting();
  }

  Examination& examination_;
  Session& session_;
  const TenantFiles files_;
  const std::string application_;
  std::vector<StampedFile> found_;
  std::set<TenantName> unread_;       // whose file could not be looked at
  std::vector<TenantRecord> buried_;  // that the registry has learned of
  std::int64_t registered_ = 0;
};

}  // namespace

std::int64_t rebuild_registry(Examination& examination) { return Rebuild(examination).run(); }

}  // namespace tenure::cli
