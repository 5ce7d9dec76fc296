#include "nouns.hpp"
#include "retention_rules.hpp"
#include "session.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/retention.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

// Removes at once what tenured removes in its time.
namespace tenure::cli {
namespace {

constexpr std::size_t kRowsLookedAt = 10'000;
constexpr std::size_t kJobsOfCommit = 500;
constexpr std::string_view kSubject = "jobs that have ended long ago";

using queue::Pruned;

Pruned prune_page(Session& session, std::span<const queue::JobSeq> jobs, const queue::PrunePass& pass) {
  Pruned all;
  while (!jobs.empty()) {
    const auto some = jobs.first(std::min(jobs.size(), kJobsOfCommit));
    session.change([&](queue::StoreWriter& writer) {
      const Pruned pruned = writer.prune(some, pass, session.now());
      all += pruned;
      return Changed{pruned.total(), std::string(kSubject)};
    });
    jobs = jobs.subspan(some.size());
  }
  return all;
}

Pruned prune_all(Session& session, bool is_done) {
  Pruned all;
  queue::PrunePass pass;
  session.readable_store().read(
      [&](queue::JobReader& reader) { pass = reader.begin_pruning(rules_of(session.settings().retention)); });
  queue::PrunableJobs page;
  while (!page.is_end) {
    session.readable_store().read([&](queue::JobReader& reader) {
      page = reader.prunable_jobs(page.looked_until, pass, session.now(), kRowsLookedAt);
    });
    all += is_done ? prune_page(session, page.jobs, pass) : page.counted;
  }
  if (is_done && all.total() == 0)
    session.change([](queue::StoreWriter&) { return Changed{0, std::string(kSubject), true}; });
  return all;
}

std::string text_of_pruned(const Pruned& pruned, bool is_done, const ShowStyle& style) {
  const std::string head = is_done ? "pruned " : "would prune ";
  if (pruned.total() == 0) return head + "no job\n";
  std::string parts;
  for (const auto& [name, jobs] :
       {std::pair{"succeeded", pruned.succeeded}, std::pair{"dead", pruned.dead},
        std::pair{"discarded", pruned.discarded}, std::pair{"cancelled", pruned.cancelled}})
    if (jobs > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", number_text(jobs, style), name);
  return head + counted(pruned.total(), "job", style) + ": " + parts + "\n";
}

std::string json_of_pruned(const Pruned& pruned, bool is_done) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.prune/1").key("item").begin_object();
  writer.key("succeeded").integer(pruned.succeeded).key("dead").integer(pruned.dead);
  writer.key("discarded").integer(pruned.discarded).key("cancelled").integer(pruned.cancelled);
  writer.key("pruned").boolean(is_done).end_object().end_object();
  return out;
}

}  // namespace

ExitCode store_prune(Session& session) {
  const bool is_done = !session.has("dry-run");
  const Pruned pruned = prune_all(session, is_done);
  if (session.json()) session.print_json(json_of_pruned(pruned, is_done));
  else session.print(text_of_pruned(pruned, is_done, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
