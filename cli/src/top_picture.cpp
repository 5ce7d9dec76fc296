#include "top_picture.hpp"

#include "daemon_answer.hpp"
#include "listing.hpp"
#include "tenants.hpp"
#include "worker_state.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

namespace tenure::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTenantsMax = 50;
// Nobody wants to wait for a daemon that is stuck before he sees that.
constexpr std::chrono::seconds kAnswerMax{2};

std::optional<milliseconds> age(const std::optional<WallTime>& since, WallTime now) {
  if (!since) return std::nullopt;
  return std::chrono::floor<milliseconds>(std::max(std::chrono::microseconds{0}, now - *since));
}

std::optional<milliseconds> length_in(const json::Value& value, std::string_view member) {
  const auto number = number_if_in(value, member);
  return number ? std::optional{milliseconds{*number}} : std::nullopt;
}

TopPicture::Daemon daemon_of(const json::Value& body) {
  TopPicture::Daemon daemon{.version = text_in(body, "version"),
                            .up = milliseconds{number_in(body, "up_ms")}};
  if (const auto who = body.member("daemon")) {
    daemon.node = text_in(*who, "node");
    daemon.pid = number_in(*who, "pid");
  }
  if (const auto rates = body.member("rates")) {
    daemon.in = fraction_in(*rates, "in_per_second");
    daemon.out = fraction_in(*rates, "out_per_second");
    daemon.failed = fraction_in(*rates, "failed_per_second");
  }
  if (const auto delay = body.member("start_delay")) {
    daemon.starts = number_in(*delay, "starts");
    daemon.delay_p50 = length_in(*delay, "p50_ms");
    daemon.delay_p99 = length_in(*delay, "p99_ms");
  }
  return daemon;
}

std::int64_t reserved_in(const json::Value& pool) {
  std::int64_t slots = 0;
  for (const json::Value& reserved : elements_in(pool, "reserved")) slots += number_in(reserved, "slots");
  return slots;
}

void add_activity(TopPicture& picture, const json::Value& body) {
  picture.daemon = daemon_of(body);
  for (const json::Value& pool : elements_in(body, "pools")) {
    const auto quiet = pool.member("quiet");
    picture.pools.push_back({.name = text_in(pool, "name"),
                             .busy = number_in(pool, "busy"),
                             .slots = number_in(pool, "slots"),
                             .is_quiet = quiet && quiet->type() == json::Type::object,
                             .reserved = reserved_in(pool)});
  }
  for (const json::Value& tenant : elements_in(body, "tenants"))
    picture.tenants.push_back({.name = text_in(tenant, "name"), .share = fraction_in(tenant, "share")});
  for (const json::Value& kind : elements_in(body, "kinds"))
    picture.kinds.push_back({.name = text_in(kind, "name"),
                             .running = number_in(kind, "running"),
                             .p99 = length_in(kind, "p99_ms")});
}

void add_workers(TopPicture& picture, const json::Value& body) {
  for (const json::Value& worker : elements_in(body, "items"))
    picture.workers.push_back({.process = number_in(worker, "process"),
                               .pid = number_in(worker, "pid"),
                               .pool = text_in(worker, "pool"),
                               .state = worker_state(worker),
                               .performing = number_in(worker, "performing"),
                               .slots = number_in(worker, "slots"),
                               .memory_bytes = number_in(worker, "memory_bytes"),
                               .up = milliseconds{number_in(worker, "up_ms")}});
}

void ask_the_daemon(Session& session, TopPicture& picture) {
  const auto activity = try_to_ask_daemon(session, {.path = "/activity", .wait_max = kAnswerMax});
  if (!activity) {
    picture.problem = activity.error().message;
    return;
  }
  add_activity(picture, activity->body());
  if (const auto workers = try_to_ask_daemon(session, {.path = "/workers", .wait_max = kAnswerMax}))
    add_workers(picture, workers->body());
}

TopPicture::Tenant tenant_of(const queue::TenantSummary& tenant, WallTime now) {
  return {.name = std::string(tenant.tenant.name.text()),
          .ready = tenant.ready,
          .running = tenant.running,
          .oldest = age(tenant.oldest_ready, now),
          .share = std::nullopt};
}

// Those that the daemon names by what they use; where nobody uses anything those with most that waits.
void add_tenants(Session& session, TopPicture& picture) {
  if (picture.tenants.empty()) {
    std::vector<queue::TenantSummary> all = tenants_where(
        session, [](const queue::TenantSummary& tenant) { return tenant.ready + tenant.running > 0; });
    std::ranges::stable_sort(all, std::ranges::greater{}, &queue::TenantSummary::ready);
    if (all.size() > kTenantsMax) all.erase(all.begin() + kTenantsMax, all.end());
    for (const auto& tenant : all) picture.tenants.push_back(tenant_of(tenant, picture.at));
    return;
  }
  std::vector<TenantName> names;
  for (const TopPicture::Tenant& tenant : picture.tenants)
    if (auto name = TenantName::parse(tenant.name)) names.push_back(std::move(*name));
  std::vector<queue::TenantSummary> found;
  session.readable_store().read([&](queue::JobReader& reader) { found = reader.tenants_named(names); });
  for (TopPicture::Tenant& tenant : picture.tenants)
    for (const queue::TenantSummary& summary : found)
      if (summary.tenant.name.text() == tenant.name)
        tenant = {tenant.name, summary.ready, summary.running, age(summary.oldest_ready, picture.at),
                  tenant.share};
}

void add_queues_and_kinds(Session& session, TopPicture& picture) {
  const bool has_kinds = picture.daemon.has_value();
  session.readable_store().read([&](queue::JobReader& reader) {
    for (const queue::QueueRecord& queue : reader.queues())
      picture.queues.push_back({queue.name, queue.ready, queue.running, age(queue.oldest_ready, picture.at)});
    if (has_kinds) return;
    for (const queue::KindRecord& kind : reader.kinds())
      if (kind.running > 0) picture.kinds.push_back({kind.name, kind.running, std::nullopt});
  });
  std::ranges::sort(picture.queues, [](const auto& a, const auto& b) {
    return std::tie(b.ready, b.running, a.name) < std::tie(a.ready, a.running, b.name);
  });
  if (!has_kinds) std::ranges::stable_sort(picture.kinds, std::ranges::greater{}, &TopPicture::Kind::running);
}

void look_at_files(Session& session, TopPicture& picture) {
  const std::filesystem::path& path = session.settings().store.path;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return;
  picture.size_bytes = static_cast<std::int64_t>(size);
  const auto log = std::filesystem::file_size(path.string() + "-wal", error);
  picture.wal_bytes = error ? 0 : static_cast<std::int64_t>(log);
}

// --- JSON.

void write_length(json::Writer& writer, std::string_view key, const std::optional<milliseconds>& length) {
  writer.key(key);
  if (length) writer.integer(length->count());
  else writer.null();
}

void write_daemon(json::Writer& writer, const TopPicture& picture) {
  writer.key("daemon");
  if (picture.daemon) {
    const TopPicture::Daemon& daemon = *picture.daemon;
    writer.begin_object();
    write_text(writer, "version", daemon.version);
    write_text(writer, "node", daemon.node);
    writer.key("pid").integer(daemon.pid).key("up_ms").integer(daemon.up.count());
    writer.key("in_per_second").number(daemon.in).key("out_per_second").number(daemon.out);
    writer.key("failed_per_second").number(daemon.failed).key("starts").integer(daemon.starts);
    write_length(writer, "start_delay_p50_ms", daemon.delay_p50);
    write_length(writer, "start_delay_p99_ms", daemon.delay_p99);
    writer.end_object();
  } else {
    writer.null();
  }
  writer.key("problem");
  if (picture.problem.empty()) writer.null();
  else writer.string(to_utf8(picture.problem));
}

void write_store(json::Writer& writer, const TopPicture& picture) {
  writer.key("store").begin_object();
  for (const auto& [key, bytes] :
       {std::pair{"size_bytes", picture.size_bytes}, {"wal_bytes", picture.wal_bytes}}) {
    writer.key(key);
    if (bytes) writer.integer(*bytes);
    else writer.null();
  }
  writer.end_object();
}

void write_waiting(json::Writer& writer, const std::string& name, std::int64_t ready, std::int64_t running,
                   const std::optional<milliseconds>& oldest) {
  writer.begin_object();
  write_text(writer, "name", name);
  writer.key("ready").integer(ready).key("running").integer(running);
  write_length(writer, "oldest_ms", oldest);
}

void write_worker(json::Writer& writer, const TopPicture::Worker& worker) {
  writer.begin_object().key("process").integer(worker.process);
  write_text(writer, "pool", worker.pool);
  writer.key("pid").integer(worker.pid);
  write_text(writer, "state", worker.state);
  writer.key("performing").integer(worker.performing).key("slots").integer(worker.slots);
  writer.key("memory_bytes")
      .integer(worker.memory_bytes)
      .key("up_ms")
      .integer(worker.up.count())
      .end_object();
}

void write_rows(json::Writer& writer, const TopPicture& picture) {
  writer.key("tenants").begin_array();
  for (const TopPicture::Tenant& tenant : picture.tenants) {
    write_waiting(writer, tenant.name, tenant.ready, tenant.running, tenant.oldest);
    writer.key("share");
    if (tenant.share) writer.number(*tenant.share);
    else writer.null();
    writer.end_object();
  }
  writer.end_array().key("queues").begin_array();
  for (const TopPicture::Queue& queue : picture.queues) {
    write_waiting(writer, queue.name, queue.ready, queue.running, queue.oldest);
    writer.end_object();
  }
  writer.end_array().key("kinds").begin_array();
  for (const TopPicture::Kind& kind : picture.kinds) {
    writer.begin_object();
    write_text(writer, "name", kind.name);
    writer.key("running").integer(kind.running);
    write_length(writer, "p99_ms", kind.p99);
    writer.end_object();
  }
  writer.end_array().key("workers").begin_array();
  for (const TopPicture::Worker& worker : picture.workers) write_worker(writer, worker);
  writer.end_array();
}

}  // namespace

TopPicture take_top_picture(Session& session) {
  TopPicture picture;
  picture.at = session.environment().clock.wall();
  ask_the_daemon(session, picture);
  look_at_files(session, picture);
  add_tenants(session, picture);
  add_queues_and_kinds(session, picture);
  return picture;
}

std::string top_json(const TopPicture& picture) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.top/1");
  write_time(writer, "at", picture.at);
  write_daemon(writer, picture);
  write_store(writer, picture);
  writer.key("pools").begin_array();
  for (const TopPicture::Pool& pool : picture.pools) {
    writer.begin_object();
    write_text(writer, "name", pool.name);
    writer.key("slots").integer(pool.slots).key("busy").integer(pool.busy);
    writer.key("reserved").integer(pool.reserved);
    writer.key("quiet").boolean(pool.is_quiet).end_object();
  }
  writer.end_array();
  write_rows(writer, picture);
  writer.end_object();
  return out;
}

}  // namespace tenure::cli
