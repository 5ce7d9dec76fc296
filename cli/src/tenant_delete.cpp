#include "listing.hpp"
#include "nouns.hpp"
#include "tenant_drain.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <span>

// A tenant goes: nothing of it is accepted any more, what waits is cancelled, what runs ends, and its file goes to the graveyard. Each of
// these is a commit or a step of its own, and begun again by the same command where it was interrupted.
namespace tenure::cli {
namespace {

using queue::DeletionRecord;
using queue::ShownState;

constexpr std::size_t kBatchesAtOnce = 500;
constexpr std::size_t kReasonMax = 4096;  // bytes of why a row can be no job

constexpr std::array kCounted{ShownState::scheduled, ShownState::ready,     ShownState::held,
                              ShownState::blocked,   ShownState::running,   ShownState::succeeded,
                              ShownState::dead,      ShownState::discarded, ShownState::cancelled};

struct CountedState {
  ShownState state = ShownState::ready;
  std::int64_t jobs = 0;
};

struct DeletedTenant {
  TenantRecord tenant;
  std::vector<CountedState> jobs;  // of each state that has any
  std::int64_t cancelled = 0;      // that waited
  std::int64_t stopped = 0;        // that ran, and were told to stop
  queue::CancelledOutbox outbox;   // rows that stood in it when its file was closed
  std::int64_t batches = 0;        // that were not complete
  Burial burial;
  std::optional<WallTime> erase_at;
};

// What waits of older generations, which a copy was put in the place of, waits for this tenant.
queue::Filter jobs_of(const TenantRecord& tenant, std::span<const ShownState> states) {
  const bool waits = std::ranges::all_of(states, [](ShownState state) {
    return std::ranges::find(kWaitingStates, state) != kWaitingStates.end();
  });
  const std::int64_t newest = tenant.generation.value;
  return jobs_of_generations(tenant.name, {waits ? std::nullopt : std::optional{newest}, newest}, states);
}

class Deletion {
 public:
  Deletion(Session& session, const TenantName& name)
      : session_(session),
        name_(name),
        graveyard_(TenantFiles(session.settings().tenants.path), session.settings().application.name) {}

  [[nodiscard]] DeletedTenant look() {
    DeletedTenant found{.tenant = {.number = {}, .name = name_, .generation = {}}};
    session_.readable_store().read([&](queue::JobReader& reader) {
      const auto summary = reader.tenant(name_);
      if (!summary)
        raise(ErrorCode::tenant_does_not_exist,
              "there is no tenant " + name_.text() + "; see tenure tenant list");
      found.tenant = summary->tenant;
      for (const ShownState state : kCounted)
        if (const auto jobs =
                reader
                    .count_jobs(jobs_of(found.tenant, std::array{state}), {.limit = kCounts}, session_.now())
                    .count;
            jobs > 0)
          found.jobs.push_back({state, jobs});
    });
    if (found.tenant.state == TenantState::deleted)
      raise(ErrorCode::tenant_deleted,
            fmt::format("{} was deleted in generation {}", name_.text(), found.tenant.generation.value),
            name_.text());
    // What waits is cancelled before the file moves, so one that cannot be moved is to be seen by now.
    graveyard_.require_buriable(name_, found.tenant.generation);
    return found;
  }

  void carry_out(DeletedTenant& deleted) {
    session_.change([&](queue::StoreWriter& writer) {
      const DeletionRecord begun =
          value_or_raise(writer.begin_deletion({.tenant = name_,
                                                .uid = session_.who().uid,
                                                .login = session_.who().login,
                                                .reason = std::string(session_.option("reason"))},
                                               clock().wall()));
      return Changed{1, generation_subject(begun.tenant, name_of(TenantState::draining))};
    });
    session_.wake();
    drain(deleted);
    graveyard_.close(name_, deleted.tenant.generation);
    const queue::OutboxSeq newest = end_outbox(deleted);
    end_batches(deleted);
    deleted.burial = graveyard_.bury(name_, deleted.tenant.generation);
    deleted.erase_at = clock().wall() + session_.settings().tenants.undo_window;
    session_.change([&](queue::StoreWriter& writer) {
      value_or_raise(writer.bury(
          deleted.tenant.number,
          {.size_bytes = deleted.burial.size_bytes(), .newest = newest, .erase_at = *deleted.erase_at}));
      return Changed{1, generation_subject(deleted.tenant, name_of(TenantState::deleted))};
    });
    session_.wake();
  }

 private:
  static constexpr std::size_t kCounts = 10'000'000;

  [[nodiscard]] const Clock& clock() { return session_.environment().clock; }

  void drain(DeletedTenant& deleted) {
    const auto cancel = [this](queue::StoreWriter& writer, queue::JobId job) {
      return writer.cancel_by_operator(job, clock().wall());
    };
    const queue::AttemptFailure why{.code = ErrorCode::claim_lost,
                                    .error = "its tenant is deleted, and no daemon runs"};
    const auto end_claim = [&](queue::StoreWriter& writer, queue::ClaimRef claim) {
      return writer.cancel(claim, true, why, clock().wall());
    };
    TenantDrain drain(session_, deleted.tenant,
                      {.waiting = jobs_of(deleted.tenant, kWaitingStates),
                       .settle = cancel,
                       .settled = "cancelled",
                       .end_claim = end_claim,
                       .ended = "cancelled"});
    drain.run();
    deleted.cancelled = drain.settled();
    deleted.stopped = drain.told_to_stop() + drain.claims_ended();
  }

  // What transactions of the tenant have enqueued while it drained was acknowledged. The file is closed, so no more comes. The greatest
  // number that the outbox has given.
  queue::OutboxSeq end_outbox(DeletedTenant& deleted) {
    std::int64_t after = 0;
    while (true) {
      OutboxPage page = graveyard_.outbox_behind(name_, deleted.tenant.generation, after,
                                                 queue::kOutboxPageRows, queue::kOutboxPageBytes);
      queue::OutboxRows rows{.newest = queue::OutboxSeq{page.newest}, .rows = {}};
      for (OutboxEntry& entry : page.entries)
        rows.rows.push_back({queue::OutboxSeq{entry.seq}, std::move(entry.text)});
      end_rows(deleted, rows);
      if (page.entries.empty()) return rows.newest;
      after = page.entries.back().seq;
    }
  }

  void end_rows(DeletedTenant& deleted, const queue::OutboxRows& rows) {
    queue::CancelledOutbox done;
    session_.change([&](queue::StoreWriter& writer) {
      done = value_or_raise(writer.cancel_outbox({name_, deleted.tenant.generation}, rows, clock().wall()));
      // What a row says is in no record, which nobody erases.
      std::string what = "cancelled out of its outbox";
      for (const queue::RefusedOutboxRow& row : done.refused)
        what += fmt::format("; row {} given up: {}", row.seq.value, name_of(row.failure.code));
      return Changed{done.cancelled + std::ssize(done.refused), generation_subject(deleted.tenant, what)};
    });
    deleted.outbox.cancelled += done.cancelled;
    deleted.outbox.existed += done.existed;
    deleted.outbox.lost += done.lost;
    std::ranges::move(done.refused, std::back_inserter(deleted.outbox.refused));
  }

  void end_batches(DeletedTenant& deleted) {
    for (std::int64_t ended = 1; ended > 0; deleted.batches += ended)
      session_.change([&](queue::StoreWriter& writer) {
        ended = writer.end_batches_of(deleted.tenant.number, kBatchesAtOnce, clock().wall());
        return Changed{ended, generation_subject(deleted.tenant, "batches cancelled")};
      });
  }

  Session& session_;
  const TenantName& name_;
  Graveyard graveyard_;
};

std::string jobs_text(const DeletedTenant& deleted, const ShowStyle& style) {
  std::string text;
  for (const CountedState& each : deleted.jobs)
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : ", ", number_text(each.jobs, style), name_of(each.state));
  return text.empty() ? "none" : text;
}

// Nothing where it was empty and complete.
std::string outbox_text(const queue::CancelledOutbox& outbox, const ShowStyle& style) {
  std::string text;
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counted(count, "row", style), what);
  };
  add(outbox.cancelled, "cancelled as jobs");
  add(std::ssize(outbox.refused), "given up");
  add(outbox.lost, "in neither database");
  return text;
}

std::string deleted_text(const DeletedTenant& deleted, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<9}{}\n", name, value);
  };
  std::string out = line("deleted", fmt::format("{}, generation {}", deleted.tenant.name.text(),
                                                deleted.tenant.generation.value));
  out +=
      line("jobs", fmt::format("{}; cancelled {} that waited and {} that ran", jobs_text(deleted, style),
                               number_text(deleted.cancelled, style), number_text(deleted.stopped, style)));
  if (const std::string outbox = outbox_text(deleted.outbox, style); !outbox.empty())
    out += line("outbox", outbox);
  for (const queue::RefusedOutboxRow& row : deleted.outbox.refused)
    out += line("", fmt::format("row {}: {}", row.seq.value, escaped(row.failure.text(), kReasonMax)));
  if (deleted.batches > 0)
    out += line("batches", counted(deleted.batches, "batch was", "batches were", style) + " cancelled");
  for (const BuriedFile& file : deleted.burial.files)
    out +=
        line("file", fmt::format("{} in the graveyard, {}", file.name, bytes_text(file.size_bytes, style)));
  if (deleted.burial.files.empty()) out += line("file", "none: it was missing");
  out += line("erased", full_time_text(deleted.erase_at, style));
  return out + line("undo", fmt::format("until then: tenure tenant undelete {}", deleted.tenant.name.text()));
}

void write_outbox(json::Writer& writer, const queue::CancelledOutbox& outbox) {
  writer.key("outbox").begin_object().key("cancelled").integer(outbox.cancelled);
  writer.key("existed").integer(outbox.existed).key("lost").integer(outbox.lost);
  writer.key("given_up").begin_array();
  for (const queue::RefusedOutboxRow& row : outbox.refused) {
    writer.begin_object().key("row").integer(row.seq.value);
    write_text(writer, "reason", row.failure.text());
    writer.end_object();
  }
  writer.end_array().end_object();
}

std::string deleted_json(const DeletedTenant& deleted, bool is_dry_run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.delete/1").key("item").begin_object();
  write_text(writer, "name", deleted.tenant.name.text());
  writer.key("generation").integer(deleted.tenant.generation.value).key("jobs").begin_object();
  for (const CountedState& each : deleted.jobs) writer.key(name_of(each.state)).integer(each.jobs);
  writer.end_object().key("cancelled").integer(deleted.cancelled).key("stopped").integer(deleted.stopped);
  writer.key("files").begin_array();
  for (const BuriedFile& file : deleted.burial.files) {
    writer.begin_object();
    write_text(writer, "name", file.name);
    writer.key("size_bytes").integer(file.size_bytes).end_object();
  }
  writer.end_array();
  write_outbox(writer, deleted.outbox);
  writer.key("batches").integer(deleted.batches);
  write_time(writer, "erase_at", deleted.erase_at);
  writer.key("dry_run").boolean(is_dry_run).end_object().end_object();
  return out;
}

// The name once more, by the option or on the terminal.
bool is_confirmed(Session& session, const TenantName& name) {
  if (session.has("confirm")) {
    if (session.option("confirm") == name.text()) return true;
    raise(ErrorCode::bad_options, fmt::format("--confirm {} is not the name of the tenant to be deleted, {}",
                                              escaped(session.option("confirm"), 64), name.text()));
  }
  Environment& environment = session.environment();
  if (session.json() || !environment.answers_are_terminal || !environment.messages_are_terminal)
    raise(ErrorCode::bad_options,
          fmt::format("say --confirm {} to delete it, since nobody can be asked here", name.text()));
  session.note("type its name to delete it:");
  const auto answer = environment.read_line();
  if (answer && *answer == name.text()) return true;
  session.note("nothing was deleted");
  return false;
}

}  // namespace

ExitCode tenant_delete(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words().front()));
  Deletion deletion(session, name);
  if (!session.has("dry-run")) session.open_for_change();
  DeletedTenant deleted = deletion.look();
  session.note(fmt::format("{}, generation {}, is {}; jobs: {}", name.text(), deleted.tenant.generation.value,
                           name_of(deleted.tenant.state), jobs_text(deleted, session.style())));
  if (session.has("dry-run")) {
    if (session.json()) session.print_json(deleted_json(deleted, true));
    return ExitCode::done;
  }
  if (!is_confirmed(session, name)) return ExitCode::refused;
  deletion.carry_out(deleted);
  if (session.json()) session.print_json(deleted_json(deleted, false));
  else session.print(deleted_text(deleted, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
