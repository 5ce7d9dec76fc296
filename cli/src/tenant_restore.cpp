#include "listing.hpp"
#include "nouns.hpp"
#include "restorable_copy.hpp"
#include "tenant_drain.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/tenancy/graveyard.hpp>

#include <fmt/format.h>

#include <optional>
#include <sys/stat.h>

// A copy becomes a tenant's database, as a new generation. Each step is a commit or a move of its own, and begun again by the same command
// where it was interrupted: what runs ends, what waits is held, the old file is closed and put away with what had not left its outbox
// taken out, and the new one is made as any tenant's is.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

using queue::TenantRestore;

constexpr std::size_t kRowsAtOnce = 500;
constexpr std::size_t kRefusedNamed = 20;

// The row of the next generation is there already, and stays whatever happens to its file.
class RegistryOfRestore final : public TenantRegistry {
 public:
  RegistryOfRestore(TenantRegistry& registry, TenantRecord next)
      : registry_(registry), next_(std::move(next)) {}

  std::optional<TenantRecord> find(const TenantName& name) override { return registry_.find(name); }
  Result<TenantRecord> begin_create(const TenantName&, WallTime) override { return next_; }
  Result<void> activate(const TenantName& name, Generation generation) override {
    return registry_.activate(name, generation);
  }
  void abandon_create(const TenantName&, Generation) override {}
  std::vector<TenantRecord> list(const std::optional<TenantName>& after, std::size_t limit) override {
    return registry_.list(after, limit);
  }
  void sync() override { registry_.sync(); }

 private:
  TenantRegistry& registry_;
  TenantRecord next_;
};

struct PutBack {
  TenantRestore restore;
  TenantRecord tenant;
  Burial burial;
  std::int64_t held = 0;
  std::int64_t stopped = 0;  // that ran, and were told to stop
  std::int64_t from_outbox = 0;
  std::vector<std::string> refused;  // rows of the outbox, and why
  WallTime erase_at{};
};

// Which file that is, and as it is: one that lies in the graveyard goes when its time is over.
struct SeenFile {
  static SeenFile at(const fs::path& path) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return {};
    return {seen.st_dev, seen.st_ino, seen.st_size, to_us(seen.st_mtim)};
  }
  static std::int64_t to_us(const timespec& time) {
    return (time.tv_sec * 1'000'000) + (time.tv_nsec / 1000);
  }
  friend bool operator==(const SeenFile&, const SeenFile&) = default;

  dev_t device = 0;
  ino_t inode = 0;  // 0: none is there
  off_t size_bytes = 0;
  std::int64_t written_us = 0;
};

class Restoring {
 public:
  Restoring(Session& session, const TenantName& name, fs::path path, const SeenFile& seen, TenantCopy copy)
      : session_(session),
        name_(name),
        path_(std::move(path)),
        seen_(seen),
        copy_(std::move(copy)),
        files_(session.settings().tenants.path),
        graveyard_(files_, session.settings().application.name) {}

  PutBack run() {
    PutBack done{.restore = begin(), .tenant = {.number = {}, .name = name_, .generation = {}}};
    done.erase_at = clock().wall() + session_.settings().tenants.undo_window;
    if (!done.restore.next) put_away(done);
    make(done);
    return done;
  }

 private:
  [[nodiscard]] const Clock& clock() { return session_.environment().clock; }

  TenantRestore begin() {
    std::optional<TenantRestore> begun;
    session_.change([&](queue::StoreWriter& writer) {
      begun = value_or_raise(writer.begin_restore({.tenant = name_,
                                                   .copied = copy_.copied,
                                                   .copied_generation = copy_.generation,
                                                   .uid = session_.who().uid,
                                                   .login = session_.who().login,
                                                   .reason = std::string(session_.option("reason"))},
                                                  clock().wall()));
      return Changed{
          1, generation_subject(begun->before, fmt::format("begun, a copy of {}, generation {}: {}",
                                                           to_rfc3339(copy_.copied), copy_.generation.value,
                                                           path_.string()))};
    });
    session_.wake();
    return *std::move(begun);
  }

  void put_away(PutBack& done) {
    const TenantRecord& before = done.restore.before;
    if (before.state != TenantState::deleted) {
      TenantDrain drain = drain_of(before);
      drain.run();
      require_same_copy();
      done.burial = graveyard_.bury(name_, before.generation, nullptr, Graveyard::Unreadable::move);
      take_outbox(done);
      drain.settle_waiting();
      done.held = drain.settled();
      done.stopped = drain.told_to_stop();
    }
    require_same_copy();
    session_.change([&](queue::StoreWriter& writer) {
      done.restore.next =
          value_or_raise(writer.begin_next(name_, done.burial.size_bytes(), done.erase_at, clock().wall()));
      return Changed{1, generation_subject(*done.restore.next, name_of(TenantState::provisioning))};
    });
    session_.wake();
  }

  // What waits is held for an operator, unless a restore before has done so; what nobody performs any more waits again.
  TenantDrain drain_of(const TenantRecord& before) {
    queue::Filter waiting =
        jobs_of_generations(before.name, {before.generation.value, before.generation.value}, kWaitingStates);
    waiting.terms.push_back({queue::FilterField::reason,
                             true,
                             {queue::Glob{std::string(name_of(queue::JobReason::generation)), true}}});
    const auto hold = [](queue::StoreWriter& writer, queue::JobId job) {
      return writer.hold_for_restore(job);
    };
    const auto give_back = [this](queue::StoreWriter& writer, queue::ClaimRef claim) {
      const queue::AttemptFailure why{.code = ErrorCode::claim_lost,
                                      .error = "its tenant is put back from a copy, and no daemon runs"};
      return writer.release(claim, true, why, clock().wall());
    };
    return {session_,
            before,
            {.waiting = std::move(waiting),
             .settle = hold,
             .settled = "held",
             .end_claim = give_back,
             .ended = "given back"}};
  }

  // Behind it the tenant is what this file holds.
  void require_same_copy() const {
    if (SeenFile::at(path_) == seen_) return;
    raise(ErrorCode::state_changed,
          fmt::format("the copy is another one by now, or gone, and nothing is put in the place of {}; the "
                      "same command goes on from here with a copy that stays",
                      name_.text()),
          name_.text(), path_.string());
  }

  // Their enqueues were acknowledged, so what lies there becomes jobs, which wait as the others do.
  void take_outbox(PutBack& done) {
    const TenantRecord& before = done.restore.before;
    const fs::path buried = graveyard_.path_for(name_, before.generation);
    if (!graveyard_.has(name_, before.generation)) return;
    const queue::OutboxOwner owner{before.name, before.generation};
    queue::OutboxSeq watermark{0};
    session_.readable_store().read(
        [&](queue::JobReader& reader) { watermark = reader.outbox_watermark(owner); });
    try {
      for (OutboxPage page = outbox_of_buried(buried, watermark.value, kRowsAtOnce); !page.entries.empty();
           page = outbox_of_buried(buried, watermark.value, kRowsAtOnce))
        watermark = take_page(done, owner, page);
    } catch (const Error& error) {  // of a damaged file nothing can be read, and what it holds stays there
      if (error.code() != ErrorCode::database_damaged) throw;
      done.refused.emplace_back(error.what());
    }
  }

  queue::OutboxSeq take_page(PutBack& done, const queue::OutboxOwner& owner, const OutboxPage& page) {
    queue::OutboxRows rows{.newest = queue::OutboxSeq{page.newest}, .rows = {}};
    for (const OutboxEntry& entry : page.entries)
      rows.rows.push_back({queue::OutboxSeq{entry.seq}, entry.text});
    queue::Relayed relayed;
    session_.change([&](queue::StoreWriter& writer) {
      relayed = writer.relay_for_restore(owner, rows, clock().wall());
      if (relayed.refused) relayed.watermark = pass_over(writer, owner, rows, relayed);
      return Changed{relayed.inserted, fmt::format("{}, generation {}, out of the outbox", name_.text(),
                                                   owner.generation.value)};
    });
    done.from_outbox += relayed.inserted;
    if (relayed.refused)
      done.refused.push_back(
          fmt::format("{}: {}", relayed.refused->seq.value, relayed.refused->failure.message));
    // Of an older copy nothing is taken, since its numbers were given before.
    return relayed.is_file_behind ? queue::OutboxSeq{page.entries.back().seq} : relayed.watermark;
  }

  static queue::OutboxSeq pass_over(queue::StoreWriter& writer, const queue::OutboxOwner& owner,
                                    const queue::OutboxRows& rows, const queue::Relayed& relayed) {
    const auto refused = std::ranges::find(rows.rows, relayed.refused->seq, &queue::OutboxRow::seq);
    return writer.pass_over_outbox(owner, rows.newest, *refused, {}).watermark;
  }

  void make(PutBack& done) {
    RegistryOfRestore registry(session_.registry(), done.restore.next.value());
    done.tenant = make_tenant_from_copy(registry, files_, clock(), name_,
                                        {.copy = path_,
                                         .origin = fmt::format("restore:{}", to_us(copy_.copied)),
                                         .receipts = ReceiptsOfCopy::keep,
                                         .application = session_.settings().application.name});
    session_.wake();
  }

  Session& session_;
  const TenantName& name_;
  const fs::path path_;
  const SeenFile seen_;
  const TenantCopy copy_;
  TenantFiles files_;
  Graveyard graveyard_;
};

// Before anything of the tenant is given up.
void require_may_be_put_away(Session& session, const TenantRecord& tenant, const fs::path& path) {
  const config::Settings& settings = session.settings();
  const TenantFiles files(settings.tenants.path);
  std::error_code ignored;
  if (fs::equivalent(path, files.path_for(tenant.name), ignored))
    raise(ErrorCode::bad_options, "this is the tenant's database itself, and no copy of it",
          tenant.name.text(), path.string());
  if (tenant.state == TenantState::deleted || tenant.state == TenantState::provisioning) return;
  try {
    Graveyard(files, settings.application.name).require_buriable(tenant.name, tenant.generation);
  } catch (const Error& error) {  // a damaged one is what copies are for
    if (error.code() != ErrorCode::database_damaged) throw;
  }
}

TenantRecord tenant_to_restore(Session& session, const TenantName& name) {
  std::optional<queue::TenantSummary> summary;
  session.readable_store().read([&](queue::JobReader& reader) { summary = reader.tenant(name); });
  if (!summary)
    raise(
        ErrorCode::tenant_does_not_exist,
        fmt::format("there is no tenant {}; a new one is made of a copy by tenure tenant clone", name.text()),
        name.text());
  return summary->tenant;
}

bool is_agreed_to_restore(Session& session) {
  if (session.has("yes")) return true;
  const auto answer = session.ask("Put this copy in the place of the tenant's database?");
  if (!answer) raise(ErrorCode::bad_options, "say --yes to put it there, since nobody can be asked here");
  if (!*answer) session.note("nothing was changed");
  return *answer;
}

std::string put_back_text(const PutBack& done, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<9}{}\n", name, value);
  };
  const std::string& name = done.tenant.name.text();
  std::string out = line(
      "restored", fmt::format("{}, generation {}, {}, from a copy of {}", name, done.tenant.generation.value,
                              name_of(done.tenant.state), full_time_text(done.restore.copied, style)));
  out += line("jobs", fmt::format("{} held{}", number_text(done.held, style),
                                  done.stopped > 0
                                      ? fmt::format(", {} told to stop", number_text(done.stopped, style))
                                      : ""));
  if (done.from_outbox > 0)
    out += line("outbox", fmt::format("{} of them had not left the database that was put away",
                                      number_text(done.from_outbox, style)));
  for (std::size_t at = 0; at < std::min(done.refused.size(), kRefusedNamed); ++at)
    out += line("refused", "row " + escaped(done.refused[at], 1024));
  for (const BuriedFile& file : done.burial.files)
    out +=
        line("before", fmt::format("{} in the graveyard, {}, until {}", file.name,
                                   bytes_text(file.size_bytes, style), full_time_text(done.erase_at, style)));
  return out + line("next", "tenure tenant reconcile " + name);
}

std::string put_back_json(const PutBack& done) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.restore/1").key("item").begin_object();
  write_text(writer, "name", done.tenant.name.text());
  writer.key("generation").integer(done.tenant.generation.value);
  writer.key("state").string(name_of(done.tenant.state));
  writer.key("generation_before").integer(done.restore.before.generation.value);
  write_time(writer, "copied", done.restore.copied);
  writer.key("held").integer(done.held).key("stopped").integer(done.stopped);
  writer.key("from_outbox").integer(done.from_outbox);
  writer.key("refused").begin_array();
  for (const std::string& row : done.refused) writer.string(row);
  writer.end_array().key("files").begin_array();
  for (const BuriedFile& file : done.burial.files) {
    writer.begin_object();
    write_text(writer, "name", file.name);
    writer.key("size_bytes").integer(file.size_bytes).end_object();
  }
  writer.end_array();
  write_time(writer, "erase_at", done.erase_at);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode tenant_restore(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words()[0]));
  const fs::path path = path_of_copy(session.words()[1]);
  const SeenFile seen = SeenFile::at(path);
  TenantCopy copy = look_at_tenant_copy(path);
  require_restorable(session, name, path, copy);
  if (!session.has("dry-run")) session.open_for_change();
  const TenantRecord tenant = tenant_to_restore(session, name);
  require_may_be_put_away(session, tenant, path);
  session.note(fmt::format("{}, generation {}, is {}; the copy is of {}, generation {}, {}", name.text(),
                           tenant.generation.value, name_of(tenant.state),
                           full_time_text(copy.copied, session.style()), copy.generation.value,
                           bytes_text(copy.size_bytes, session.style())));
  if (session.has("dry-run")) return ExitCode::done;
  if (!is_agreed_to_restore(session)) return ExitCode::refused;
  const PutBack done = Restoring(session, name, path, seen, std::move(copy)).run();
  if (session.json()) session.print_json(put_back_json(done));
  else session.print(put_back_text(done, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
