#include "workload.hpp"

#include "measure.hpp"

#include <tenure/queue/sqlite_store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <algorithm>
#include <stdexcept>

namespace tenure::bench {
namespace {

constexpr std::size_t kVisitMax = 16;
constexpr std::size_t kPage = 1000;
constexpr std::uint64_t kYardstickSeed = 1;
constexpr int kSqliteCheckpointPages = 1000;  // SQLite's default: 4 MiB, as ours
constexpr double kOrderedDelay = 0.1;         // seconds

const RealClock& real_clock() {
  static const RealClock clock;
  return clock;
}

WallTime now() { return real_clock().wall(); }

}  // namespace

ZipfTenants::ZipfTenants(std::uint64_t seed, std::size_t tenants) : random_(seed) {
  double sum = 0;
  for (std::size_t rank = 1; rank <= tenants; ++rank)
    cumulative_.push_back(sum += 1.0 / static_cast<double>(rank));
}

std::size_t ZipfTenants::next() {
  constexpr double kSteps = 1U << 30U;
  const double at = static_cast<double>(random_.below(1U << 30U)) / kSteps * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
  return std::min(static_cast<std::size_t>(found - cumulative_.begin()), cumulative_.size() - 1);
}

TenantName tenant_name(std::size_t tenant) { return TenantName{"tenant-" + std::to_string(tenant)}; }

const std::string& payload() {
  static const std::string text = [] {
    const std::string head = R"({"text":")";
    const std::string tail = R"("})";
    return head + std::string(kPayloadBytes - head.size() - tail.size(), 'x') + tail;
  }();
  return text;
}

std::unique_ptr<queue::Store> open_control(const std::filesystem::path& file) {
  return queue::open_sqlite_store({.path = file, .create = true}, real_clock());
}

ControlTemplate::ControlTemplate(std::filesystem::path file) : file_(std::move(file)) {
  const auto store = open_control(file_);
  for (std::size_t tenant = 0; tenant < kTenants; ++tenant) {
    const TenantRecord record = value_or_raise(store->registry().begin_create(tenant_name(tenant), now()));
    value_or_raise(store->registry().activate(record.name, record.generation));
  }
  store->checkpoint(0);
}

ControlTemplate::ControlTemplate(std::filesystem::path file, const std::filesystem::path& tenants)
    : file_(std::move(file)) {
  const auto store = open_control(file_);
  HandleCache handles(TenantFiles{tenants.string() + "/%{tenant}.db"}, {.application = "bench"});
  Tenants all(store->registry(), handles, real_clock(), {.application = "bench"});
  for (std::size_t tenant = 0; tenant < kTenants; ++tenant) all.create(tenant_name(tenant));
  store->checkpoint(0);
}

std::unique_ptr<queue::Store> ControlTemplate::open(const std::filesystem::path& file) const {
  std::filesystem::copy_file(file_, file);
  return open_control(file);
}

JobMaker::JobMaker(std::uint64_t seed, std::size_t tenants, std::string kind)
    : ids_(seed), tenants_(seed, tenants), kind_(std::move(kind)) {
  for (std::size_t tenant = 0; tenant < tenants; ++tenant) names_.push_back(tenant_name(tenant));
}

queue::NewJob JobMaker::next(WallTime when) {
  return {.id = queue::JobId{ids_.next(now())},
          .tenant = names_[tenants_.next()],
          .generation = Generation{0},
          .queue = "default",
          .kind = kind_,
          .priority = queue::Priority{0},
          .due = when,
          .attempts_max = 10,
          .arguments = payload()};
}

void enqueue_one(queue::Store& store, JobMaker& jobs, WallTime when) {
  const queue::NewJob job = jobs.next(when);
  store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    static_cast<void>(value_or_raise(writer.enqueue(job, when)));
  });
}

void fill(queue::Store& store, JobMaker& jobs, std::size_t count, Log log, std::size_t together) {
  for (std::size_t done = 0; done + together <= count; done += together) {
    const WallTime when = now();
    std::vector<queue::NewJob> batch;
    for (std::size_t i = 0; i < together; ++i) batch.push_back(jobs.next(when));
    store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      for (const queue::NewJob& job : batch) static_cast<void>(value_or_raise(writer.enqueue(job, when)));
    });
    if (log == Log::checkpointed) store.checkpoint(kWalBytesMax);
  }
}

void tidy(queue::Store& store, Log log) {
  while (store.tidy())
    if (log == Log::checkpointed) store.checkpoint(kWalBytesMax);
}

Drain::Drain(queue::Store& store) : store_(store) {
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    incarnation_ = writer.open_incarnation(1, "bench", 1, now());
    std::optional<queue::Lane> after;
    while (true) {
      const auto page = writer.reader().lanes(after, kPage);
      for (const queue::Lane& lane : page) learn(lane);
      if (!after) last_seq_ = writer.reader().known_until();
      if (page.size() < kPage) break;
      after = page.back();
    }
  });
  look_for_arrivals();
}

void Drain::learn(const queue::Lane& lane) {
  const auto at = std::lower_bound(known_.begin(), known_.end(), lane);
  if (at != known_.end() && *at == lane) return;
  known_.insert(at, lane);
  ring_.push_back({lane, std::nullopt});
}

void Drain::look_for_arrivals() {
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    while (true) {
      const auto page = writer.reader().arrivals(last_seq_, kPage);
      for (const queue::JobArrival& arrival : page) learn(arrival.lane);
      if (!page.empty()) last_seq_ = page.back().seq;
      if (page.size() < kPage) return;
    }
  });
}

std::size_t Drain::round() {
  std::vector<queue::ClaimRef> claimed;
  const std::size_t finished = running_.size();
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    const WallTime when = now();
    for (const queue::ClaimRef& claim : running_) value_or_raise(writer.finish_succeeded(claim, when));
    claim_round(writer, when, claimed);
  });
  running_ = std::move(claimed);
  return finished;
}

void Drain::claim_round(queue::StoreWriter& writer, WallTime when, std::vector<queue::ClaimRef>& claimed) {
  while (claimed.size() < kRoundJobs && !ring_.empty()) {
    Place place = ring_.front();
    ring_.pop_front();
    const auto& [lane, after] = place;
    const std::size_t wanted = std::min(kVisitMax, kRoundJobs - claimed.size());
    const queue::ClaimReply reply = writer.claim({.queue = lane.queue,
                                                  .priority = lane.priority,
                                                  .tenant = lane.tenant,
                                                  .kinds = {{lane.kind, after}},
                                                  .count = wanted,
                                                  .incarnation = incarnation_,
                                                  .first_counter = counter_,
                                                  .process = queue::ProcessNumber{1}},
                                                 when);
    if (reply.gate) throw std::runtime_error("a tenant of the benchmark is not active");
    for (const queue::ClaimedJob& job : reply.jobs) claimed.push_back({job.seq, job.token});
    counter_ += static_cast<std::int64_t>(reply.jobs.size());
    if (reply.jobs.size() == wanted) {
      place.after = reply.jobs.back().place;
      ring_.push_back(place);
    } else {
      known_.erase(std::lower_bound(known_.begin(), known_.end(), lane));
    }
  }
}

std::size_t drain(queue::Store& store, Log log) {
  Drain rounds(store);
  std::size_t done = rounds.round();  // claims, and has nothing to finish yet
  Stopwatch since_sync;
  while (const std::size_t finished = rounds.round()) {
    done += finished;
    if (since_sync.seconds() < kOrderedDelay) continue;
    store.sync();
    if (log == Log::checkpointed) store.checkpoint(kWalBytesMax);
    since_sync = Stopwatch{};
  }
  return done;
}

Yardstick open_yardstick(const std::filesystem::path& file, yardstick_sync sync, Log log) {
  return Yardstick{yardstick_open(file.c_str(), sync, log == Log::kept ? 0 : kSqliteCheckpointPages)};
}

void fill(yardstick* open, std::size_t count, std::size_t together) {
  ZipfTenants tenants(kYardstickSeed);
  std::vector<std::int64_t> numbers(together);
  for (std::size_t done = 0; done + together <= count; done += together) {
    for (auto& each : numbers) each = static_cast<std::int64_t>(tenants.next());
    yardstick_enqueue(open, numbers.data(), numbers.size(), payload().data(), payload().size());
  }
}

std::size_t drain(yardstick* open) {
  std::vector<std::int64_t> claimed(kRoundJobs);
  std::size_t done = 0;
  while (const std::size_t found = yardstick_claim(open, claimed.data(), claimed.size())) {
    yardstick_finish(open, claimed.data(), found);
    done += found;
  }
  return done;
}

}  // namespace tenure::bench
