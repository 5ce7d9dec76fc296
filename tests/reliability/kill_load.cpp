// The application of kill_processes.sh:
//   kill_load enqueue CONFIG RECORD NAME LIFE   enqueues from four threads for ever, each job under an id of its own; what the
//                                               life before of NAME tried and was not promised is enqueued first, under the same id
//                                               (KILL_OUTBOXES=yes: one in four in a transaction of its tenant's database)
//   kill_load check CONFIG RECORD               compares the effects in the tenants' databases with the record, and prints the
//                                               verdict's first half
// Exit: 0 good; 1 a promise is broken, or it cannot go on.
#include "effect_job.hpp"
#include "record.hpp"

#include <tenure/base/random.hpp>
#include <tenure/client.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace tenure::reliability {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 4;
constexpr int kDelayedEvery = 16;  // one job in so many waits for its time first

// The tenants that the script makes.
constexpr std::size_t kTenants = 8;
std::string tenant_of(std::size_t number) { return "tenant-" + std::to_string(number % kTenants); }

struct Item {
  Uuid id;
  std::string tenant;

  [[nodiscard]] std::string text(std::string_view name) const {
    return std::string{name} + ' ' + id.text() + ' ' + tenant;
  }
};

// NAME ID TENANT
Item parse_item(std::string_view text) {
  const auto second = text.find(' ') + 1;
  const auto third = text.find(' ', second) + 1;
  return {Uuid::parse(text.substr(second, third - 1 - second)).value(), std::string{text.substr(third)}};
}

// By its id, so that the same item goes the same way again.
bool goes_by_outbox(const Item& item) {
  constexpr int kOneInSoMany = 4;
  return uses_outboxes() && item.id.bytes().back() % kOneInSoMany == 0;
}

void enqueue_in_transaction(Client& client, const Item& item, const EnqueueOptions& options) {
  const TenantName tenant{item.tenant};
  with_tenant(tenant, [&] {
    HandleLease lease = client.tenants().open(tenant);
    client.transaction(*lease, [&](JobTransaction& transaction) {
      transaction.execute("insert into asked (id) values (?) on conflict do nothing", item.id.text());
      transaction.enqueue(Effect{.id = item.id.text(), .tenant = item.tenant}, options);
    });
  });
}

void enqueue(Client& client, const Record& record, const std::string& name, const Item& item, bool delayed) {
  const std::string line = item.text(name);
  record.tell('+', line);
  const EnqueueOptions options{
      .run_in = delayed ? 200ms : 0ms, .id = item.id, .tenant = TenantName{item.tenant}};
  while (true) {
    try {
      if (goes_by_outbox(item)) enqueue_in_transaction(client, item, options);
      else client.enqueue(Effect{.id = item.id.text(), .tenant = item.tenant}, options);
      break;
    } catch (const StoreBusy&) {  // the same id again is the same job
    } catch (const TenantBusy&) {
    }
  }
  record.tell('=', line);
}

std::vector<Item> without_a_promise(const char* record, const std::string& name) {
  const Recorded recorded{record};
  std::vector<Item> items;
  for (const std::string& line : recorded.attempted)
    if (line.starts_with(name + ' ') && !recorded.acknowledged.contains(line))
      items.push_back(parse_item(line));
  return items;
}

void enqueue_for_ever(const char* config, const char* record_file, const std::string& name,
                      std::uint64_t life) {
  Client client = Client::open(config);
  const Record record{record_file};
  for (const Item& item : without_a_promise(record_file, name)) enqueue(client, record, name, item, false);
  const RealClock clock;
  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      try {
        // Another seed for each process, life and thread, so that no id is made twice.
        UuidGenerator ids((std::hash<std::string>{}(name) ^ life) * kThreads + thread);
        for (std::size_t number = thread;; ++number)
          enqueue(client, record, name, {ids.next(clock.wall()), tenant_of(number)},
                  number % kDelayedEvery == 0);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "kill_load %s: %s\n", name.c_str(), error.what());
        ::_exit(1);
      }
    });
}

struct Verdict {
  std::int64_t lost = 0, unexpected = 0, duplicated = 0, wrong_tenant = 0;
};

// Names the first ones, for whoever has to find out why.
void count(std::int64_t& counter, const char* word, const std::string& what) {
  constexpr std::int64_t kNamedMax = 3;
  if (++counter <= kNamedMax) std::fprintf(stderr, "%s: %s\n", word, what.c_str());
}

std::unordered_map<std::string, std::int64_t> read_effects(Client& client, Verdict& verdict) {
  std::unordered_map<std::string, std::int64_t> effects;
  for (std::size_t number = 0; number < kTenants; ++number) {
    const TenantName tenant{tenant_of(number)};
    with_tenant(tenant, [&] {
      client.tenants().open(tenant, HandleAccess::read_only)->read([&](TenantReader& reader) {
        auto rows = reader.query("select id, tenant, count(*) from effect group by id, tenant");
        while (rows.next()) {
          const std::string owner{rows.row().text(1)};
          const std::string id = std::string{rows.row().text(0)} + ' ' + owner;
          effects[id] += rows.row().integer(2);
          if (owner != tenant.text())
            count(verdict.wrong_tenant, "wrong tenant", id + " in " + tenant.text());
        }
      });
    });
  }
  return effects;
}

// Each effect has its follow-up once, and what was enqueued in a transaction the row that was written there, and the other way round.
void check_outboxes(Client& client, Verdict& verdict) {
  constexpr std::string_view kFollowUps = R"sql(
    select coalesce(effect.id, follow_up.id), count(distinct effect.id), count(follow_up.id)
    from effect full join follow_up on follow_up.id = effect.id group by 1 having count(distinct effect.id) <> 1 or count(follow_up.id) <> 1)sql";
  constexpr std::string_view kAsked = "select id from asked where id not in (select id from effect)";
  // By the last digit of an id, as goes_by_outbox().
  constexpr std::string_view kNotAsked = R"sql(
    select id from effect where instr('048c', substr(id, -1)) > 0 and id not in (select id from asked))sql";
  for (std::size_t number = 0; number < kTenants; ++number) {
    const TenantName tenant{tenant_of(number)};
    with_tenant(tenant, [&] {
      client.tenants().open(tenant, HandleAccess::read_only)->read([&](TenantReader& reader) {
        for (const TenantRow& row : reader.query(kFollowUps)) {
          const std::string id{row.text(0)};
          if (row.integer(2) == 0) count(verdict.lost, "lost follow-up", id);
          else if (row.integer(1) == 0) count(verdict.unexpected, "follow-up without its effect", id);
          else count(verdict.duplicated, "duplicated follow-up", id);
        }
        for (const TenantRow& row : reader.query(kAsked))
          count(verdict.lost, "lost beside its row", std::string{row.text(0)});
        for (const TenantRow& row : reader.query(kNotAsked))
          count(verdict.unexpected, "without its row", std::string{row.text(0)});
      });
    });
  }
}

std::string id_and_tenant(const std::string& line) { return line.substr(line.find(' ') + 1); }

bool check(const char* config, const char* record_file) {
  Client client = Client::open(config);
  const Recorded recorded{record_file};
  Verdict verdict;
  const auto effects = read_effects(client, verdict);
  if (uses_outboxes()) check_outboxes(client, verdict);
  std::unordered_set<std::string> attempted;
  for (const std::string& line : recorded.attempted) attempted.insert(id_and_tenant(line));
  for (const std::string& line : recorded.acknowledged)
    if (!effects.contains(id_and_tenant(line))) count(verdict.lost, "lost", line);
  for (const auto& [id, times] : effects) {
    if (!attempted.contains(id)) count(verdict.unexpected, "unexpected", id);
    if (times > 1) count(verdict.duplicated, "duplicated", id);
  }
  std::printf("attempted=%zu acknowledged=%zu lost=%ld unexpected=%ld duplicated=%ld wrong-tenant=%ld\n",
              recorded.attempted.size(), recorded.acknowledged.size(), verdict.lost, verdict.unexpected,
              verdict.duplicated, verdict.wrong_tenant);
  return verdict.lost + verdict.unexpected + verdict.duplicated + verdict.wrong_tenant == 0;
}

}  // namespace
}  // namespace tenure::reliability

int main(int argc, char** argv) {
  using namespace tenure::reliability;
  try {
    const std::string_view role = argc > 3 ? argv[1] : "";
    if (role == "check") return check(argv[2], argv[3]) ? 0 : 1;
    if (role != "enqueue" || argc != 6) return 2;
    enqueue_for_ever(argv[2], argv[3], argv[4], std::stoull(argv[5]));
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kill_load: %s\n", error.what());
    return 1;
  }
}
