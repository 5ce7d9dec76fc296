#include "bookkeeping.hpp"
#include "support/forwarding_store.hpp"
#include "support/in_child.hpp"

#include <tenure/base/limits.hpp>

namespace tenure::testing {
namespace {

using ClientTest = Bookkeeping;

queue::JobRecord record_of(queue::Store& store, Uuid id) {
  std::optional<queue::JobRecord> record;
  store.read([&](queue::JobReader& reader) { record = reader.find_job({id}); });
  return value_or_raise(record ? Result<queue::JobRecord>{*record}
                               : fail(ErrorCode::job_not_found, "no such job"));
}

std::int64_t jobs_in(queue::Store& store) {
  std::int64_t count = 0;
  store.read([&](queue::JobReader& reader) { count = reader.count_jobs({}, {.limit = 1000}, {}).count; });
  return count;
}

TEST_F(ClientTest, CTX_06_TheTenantIsCapturedAtEnqueue) {
  const PayAll built_in_acme = with_tenant("acme", [] { return PayAll{}; });
  const Uuid id = with_tenant("bolt", [&] { return client_.enqueue(built_in_acme); });
  EXPECT_EQ(record_of(*store_, id).tenant, TenantName{"bolt"});
}

TEST_F(ClientTest, GID_02_AnIdOfAnotherTenantIsRefusedNamingTheField) {
  const Ref<Invoice> of_acme = invoice_of("acme");
  with_tenant("bolt", [&] {
    try {
      client_.enqueue(PayAll{{PayInvoice{invoice_of("bolt")}, PayInvoice{of_acme}}});
      FAIL() << "accepted";
    } catch (const WrongTenant& error) {
      EXPECT_EQ(error.failure().where, "$.invoices[1].invoice");
    }
  });
  EXPECT_EQ(jobs_in(*store_), 0);
}

TEST_F(ClientTest, ENQ_06_OutsideEveryScopeThereIsNoTenant) {
  try {
    without_tenant([&] { client_.enqueue(PayAll{}); });
    FAIL() << "enqueued";
  } catch (const NoTenant& error) {
    EXPECT_NE(std::string_view{error.what()}.find("{.untenanted = true}"), std::string_view::npos)
        << error.what();
  }
  EXPECT_THROW(client_.enqueue(PayAll{}), NoTenant);
  EXPECT_EQ(record_of(*store_, client_.enqueue(PayAll{}, {.untenanted = true})).tenant, std::nullopt);
  EXPECT_EQ(record_of(*store_, client_.enqueue(PayAll{}, {.tenant = TenantName{"acme"}})).tenant,
            TenantName{"acme"});
}

TEST_F(ClientTest, OptionsAreTakenAsOneWouldWriteThem) {
  using std::chrono::nanoseconds;
  const std::chrono::sys_time<nanoseconds> fine{clock_.wall() + std::chrono::hours{1} + nanoseconds{999}};
  const std::string name = "acme";
  EXPECT_EQ(record_of(*store_, client_.enqueue(PayAll{}, {.run_at = fine, .tenant = "acme"})).due,
            clock_.wall() + std::chrono::hours{1});
  EXPECT_EQ(record_of(*store_, client_.enqueue(PayAll{}, {.run_at = clock_.wall(), .tenant = name})).due,
            clock_.wall());
  EXPECT_THROW(client_.enqueue(PayAll{}, {.tenant = "Acme Ltd"}), BadTenantName);
  const std::vector<PayAll> bulk(3);
  EXPECT_EQ(client_.enqueue_all(bulk, {.tenant = "acme"}).size(), 3U);
}

struct CloseBooks {
  static constexpr std::string_view kind = "billing.close_books";
  static JobOptions options() {
    return {.concurrency = ConcurrencyKey{.key = "books"}, .unique = UniqueKey{.key = "close"}};
  }
  template <class Archive>
  void serialize(Archive&) {}
};

TEST_F(ClientTest, KeysOfTheKindAreStatedAndThoseOfTheCallWin) {
  const auto keys_of = [&](Uuid id) {
    queue::JobKeys keys;
    store_->read([&](queue::JobReader& reader) { keys = reader.job_keys(reader.find_job({id}).value()); });
    return keys;
  };
  const Uuid first = client_.enqueue(CloseBooks{}, {.tenant = "acme"});
  EXPECT_EQ(keys_of(first).concurrency, ConcurrencyKey{.key = "books"});
  EXPECT_EQ(client_.enqueue(CloseBooks{}, {.tenant = "acme"}), first) << "the one that has the unique key";
  const auto bulk = client_.enqueue_all(std::vector<CloseBooks>(2), {.tenant = "bolt"});
  EXPECT_EQ(bulk[0].id, bulk[1].id);
  const Uuid other =
      client_.enqueue(CloseBooks{}, {.tenant = "acme",
                                     .concurrency = ConcurrencyKey{.key = "other", .running_max = 3},
                                     .unique = UniqueKey{.key = "another", .until = UniqueUntil::started}});
  EXPECT_NE(other, first);
  EXPECT_EQ(keys_of(other).concurrency->running_max, 3);
  EXPECT_EQ(keys_of(other).unique->until, UniqueUntil::started);
  EXPECT_THROW(client_.enqueue(CloseBooks{}, {.tenant = "acme", .unique = UniqueKey{.key = "a\nb"}}),
               BadOptions);
}

enum class Colour : std::uint8_t { red = 1, green = 7 };

TEST_F(ClientTest, EnumsTimesAndMoveOnlyHandlersWork) {
  std::int64_t colour = 0;
  std::int64_t time_us = 0;
  const std::chrono::sys_seconds noon{std::chrono::seconds{1'700'000'000}};
  jobs_.add<PayAll>([&, own = std::make_unique<int>(1)](const PayAll&, JobContext& context) {
    context.read([&](TenantReader& reader) {
      TenantRows rows = reader.query("select ?1, ?2", Colour::green, noon);
      rows.next();
      colour = rows.row().integer(0);
      time_us = rows.row().integer(1);
    });
  });
  client_.enqueue(PayAll{}, {.tenant = "acme"});
  EXPECT_EQ(perform(claim()), std::nullopt);
  EXPECT_EQ(colour, 7);
  EXPECT_EQ(time_us, 1'700'000'000'000'000);
}

TEST_F(ClientTest, ENQ_06_ATenantNamedInsideAScopeMustBeTheScopes) {
  with_tenant("acme", [&] {
    EXPECT_NO_THROW(client_.enqueue(PayAll{}, {.tenant = TenantName{"acme"}}));
    EXPECT_THROW(client_.enqueue(PayAll{}, {.tenant = TenantName{"bolt"}}), TenantSwapProhibited);
    EXPECT_THROW(client_.enqueue(PayAll{}, {.tenant = TenantName{"acme"}, .untenanted = true}), BadOptions);
  });
}

TEST_F(ClientTest, REG_01_AnUnknownTenantIsRefused) {
  with_tenant("nobody", [&] { EXPECT_THROW(client_.enqueue(PayAll{}), TenantDoesNotExist); });
}

struct Letter {
  static constexpr std::string_view kind = "books.letter";
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// The store's own limit counts, and nobody's default beside it.
TEST_F(ClientTest, AsMuchIsEnqueuedAndPerformedAsTheStoreAllows) {
  const Letter letter{std::string(500'000, 'x')};
  EXPECT_THROW(client_.enqueue(letter, {.tenant = TenantName{"acme"}}), PayloadTooLarge) << "256 KiB";
  auto larger = queue::make_memory_store({.payload_max = 600'000});
  std::swap(store_, larger);
  Client client{*store_, clock_, {.application = "books"}};
  std::size_t read = 0;
  jobs_.add<Letter>([&](const Letter& job, JobContext&) { read = job.text.size(); });
  client.enqueue(letter, {.untenanted = true});
  EXPECT_EQ(perform(claim()), std::nullopt);
  EXPECT_EQ(read, letter.text.size());
}

TEST_F(ClientTest, AChildOfAForkCannotEnqueue) {
  EXPECT_EQ(in_child([&] {
              const std::vector<PayAll> bulk(2);
              const bool is_one_refused =
                  throws<ForkedProcess>([&] { client_.enqueue(PayAll{}, {.untenanted = true}); });
              const bool are_many_refused =
                  throws<ForkedProcess>([&] { client_.enqueue_all(std::span{bulk}, {.untenanted = true}); });
              return is_one_refused && are_many_refused ? 1 : 0;
            }),
            1);
  EXPECT_NO_THROW(client_.enqueue(PayAll{}, {.untenanted = true}));
}

TEST_F(ClientTest, OptionsOfTheKindReachTheRow) {
  with_tenant("acme", [&] {
    const auto record = record_of(*store_, client_.enqueue(PayAll{}, {.run_in = std::chrono::minutes{5}}));
    EXPECT_EQ(record.queue, "slow");
    EXPECT_EQ(record.priority, queue::Priority{7});
    EXPECT_EQ(record.attempts_max, 2);
    EXPECT_EQ(record.due, clock_.wall() + std::chrono::minutes{5});
    EXPECT_EQ(record.state, queue::ShownState::scheduled);
  });
}

// Time goes by while it is encoded, as it does while a commit waits for others.
struct Slow {
  static constexpr std::string_view kind = "books.slow";
  static inline VirtualClock* clock = nullptr;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    clock->advance(std::chrono::seconds{10});
    archive(CEREAL_NVP(number));
  }
};

TEST_F(ClientTest, ADelayIsCountedFromTheCommit) {
  Slow::clock = &clock_;
  const auto record =
      record_of(*store_, client_.enqueue(Slow{}, {.run_in = std::chrono::minutes{5}, .untenanted = true}));
  EXPECT_EQ(record.due, clock_.wall() + std::chrono::minutes{5});
  const std::vector<Slow> bulk(2);
  for (const BulkItem& item :
       client_.enqueue_all(bulk, {.run_in = std::chrono::minutes{5}, .untenanted = true}))
    EXPECT_EQ(record_of(*store_, item.id).due, clock_.wall() + std::chrono::minutes{5});
}

TEST_F(ClientTest, IdsIncreaseOverAllClientsOfTheProcess) {
  Client other{*store_, clock_, {.application = "books"}};
  with_tenant("acme", [&] {
    Uuid last;
    for (int i = 0; i < 100; ++i) {
      const Uuid id = (i % 2 == 0 ? client_ : other).enqueue(PayAll{});
      EXPECT_LT(last, id) << i;
      last = id;
    }
  });
}

TEST_F(ClientTest, ENQ_03_TheSameIdAgainIsOneJobAndOtherContentAConflict) {
  with_tenant("acme", [&] {
    const Uuid id = client_.enqueue(PayAll{});
    EXPECT_EQ(client_.enqueue(PayAll{}, {.id = id}), id);
    EXPECT_EQ(jobs_in(*store_), 1);
    EXPECT_THROW(client_.enqueue(PayInvoice{invoice_of("acme")}, {.id = id}), IdConflict);
  });
}

TEST_F(ClientTest, ENQ_09_ABulkStoresTheGoodOnesAndNamesTheBad) {
  const std::vector<PayInvoice> jobs{{invoice_of("acme")}, {invoice_of("bolt")}, {invoice_of("acme", 2)}};
  with_tenant("acme", [&] {
    const auto items = client_.enqueue_all<PayInvoice>(jobs);
    ASSERT_EQ(items.size(), 3U);
    EXPECT_FALSE(items[0].failure);
    EXPECT_EQ(items[1].failure->code, ErrorCode::wrong_tenant);
    EXPECT_FALSE(items[2].failure);
    EXPECT_LT(items[0].id, items[2].id) << "in input order";
    EXPECT_EQ(jobs_in(*store_), 2);
  });
}

TEST_F(ClientTest, ENQ_09_AllOrNothingStoresNothing) {
  const std::vector<PayInvoice> jobs{{invoice_of("acme")}, {invoice_of("bolt")}};
  with_tenant("acme", [&] {
    EXPECT_THROW(client_.enqueue_all<PayInvoice>(jobs, {}, BulkRule::all_or_nothing), WrongTenant);
    EXPECT_EQ(jobs_in(*store_), 0);
  });
}

namespace {

// How many of them have been written down, which is when their ids are compared with the scope.
int written_notes = 0;
struct NoteInvoice {
  static constexpr std::string_view kind = "books.note_invoice";
  Ref<Invoice> invoice;
  template <class Archive>
  void serialize(Archive& archive) {
    ++written_notes;
    archive(CEREAL_NVP(invoice));
  }
};

// Keeps how many there were when the store was first to be written.
class FirstTouch final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  std::optional<int> written;
  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    if (!written) written = written_notes;
    ForwardingStore::write(durability, work);
  }
};

}  // namespace

TEST_F(ClientTest, HND_02_EachItemOfABulkIsComparedWithTheScopeBeforeTheFirstIsStored) {
  FirstTouch store(*store_);
  Client client(store, clock_, {.application = "books"});
  const std::vector<NoteInvoice> jobs{{invoice_of("acme")}, {invoice_of("bolt")}, {invoice_of("acme", 2)}};
  with_tenant("acme", [&] {
    written_notes = 0;
    EXPECT_THROW(client.enqueue_all(jobs, {}, BulkRule::all_or_nothing), WrongTenant);
    EXPECT_FALSE(store.written) << "the store was not asked";
    written_notes = 0;
    EXPECT_EQ(client.enqueue_all(jobs)[1].failure->code, ErrorCode::wrong_tenant);
    EXPECT_EQ(store.written, 3);
    EXPECT_EQ(jobs_in(*store_), 2);
  });
}

TEST_F(ClientTest, AllOrNothingSaysWhichItemIsBad) {
  const auto refusal_of = [&](const std::vector<PayInvoice>& jobs) {
    return with_tenant("acme", [&]() -> std::string {
      try {
        client_.enqueue_all(jobs, {}, BulkRule::all_or_nothing);
      } catch (const Error& error) {
        return error.failure().message;
      }
      return "taken";
    });
  };
  EXPECT_EQ(refusal_of({{invoice_of("bolt")}}).find("item 0: "), 0U);
  EXPECT_EQ(refusal_of({{invoice_of("acme")}, {invoice_of("bolt")}}).find("item 1: "), 0U);
  // What the store refuses too.
  with_tenant("nobody", [&] {
    const std::vector<PayAll> jobs(2);
    try {
      client_.enqueue_all(jobs, {}, BulkRule::all_or_nothing);
      FAIL() << "taken";
    } catch (const TenantDoesNotExist& error) {
      EXPECT_EQ(error.failure().message.find("item 0: "), 0U);
    }
  });
}

TEST_F(ClientTest, ABulkMayBeAListInBraces) {
  const auto items = client_.enqueue_all({PayAll{}, PayAll{}}, {.tenant = "acme"});
  ASSERT_EQ(items.size(), 2U);
  EXPECT_LT(items[0].id, items[1].id);
  EXPECT_EQ(jobs_in(*store_), 2);
}

TEST_F(ClientTest, TheTenantMayBeTheOneThatIsCurrent) {
  const Uuid id =
      with_tenant("bolt", [&] { return client_.enqueue(PayAll{}, {.tenant = current_tenant()}); });
  EXPECT_EQ(record_of(*store_, id).tenant, TenantName{"bolt"});
}

TEST_F(ClientTest, ABulkHasALimit) {
  with_tenant("acme", [&] {
    EXPECT_EQ(client_.enqueue_all<PayAll>(std::vector<PayAll>(limits::kBulkMax)).size(), limits::kBulkMax);
    EXPECT_THROW(client_.enqueue_all<PayAll>(std::vector<PayAll>(limits::kBulkMax + 1)), BadOptions);
  });
}

TEST_F(ClientTest, AReferenceThatNamesNothingIsRefused) {
  with_tenant("acme", [&] { EXPECT_THROW(client_.enqueue(PayInvoice{}), BadGlobalId); });
}

}  // namespace
}  // namespace tenure::testing
