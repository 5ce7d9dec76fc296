#include "support/dispatcher_text.hpp"

#include <gtest/gtest.h>

#include <dispatcher/machine.hpp>
#include <journal/decoder.hpp>
#include <journal/encoder.hpp>
#include <journal/layout.hpp>
#include <journal/replay.hpp>
#include <journal/value_text.hpp>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace tenure::daemon {

// Where classes of the dispatcher are.
class KeptCounts {
  std::uint64_t given_ = 0, served_ = 0;
  TENURE_REMEMBERS(given, served)
};
class SwappedCounts {
  std::uint64_t served_ = 0, given_ = 0;
  TENURE_REMEMBERS(given, served)  // as it was
};

}  // namespace tenure::daemon

namespace tenure::daemon::journal {
namespace {

template <class T>
std::string bytes_of(const T& value) {
  Encoder encoder;
  encoder.put(value);
  return std::string(encoder.bytes());
}

template <class T>
T again(const T& value) {
  const std::string bytes = bytes_of(value);
  Decoder decoder(bytes);
  T result = decoder.get<T>();
  EXPECT_TRUE(decoder.is_at_end());
  return result;
}

TEST(JournalValues, NumbersComeBackFromEdgeToEdge) {
  for (const std::uint64_t value : {0UL, 247UL, 248UL, 255UL, 256UL, 65'535UL, 65'536UL, 1UL << 32U, ~0UL})
    EXPECT_EQ(again(value), value);
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{123}, std::int64_t{-124},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    EXPECT_EQ(again(value), value);
  EXPECT_EQ(bytes_of(std::uint64_t{247}).size(), 1U);
  EXPECT_EQ(bytes_of(std::uint64_t{248}).size(), 2U);
  EXPECT_EQ(bytes_of(~std::uint64_t{0}).size(), 9U);
}

TEST(JournalValues, EventsAndActionsComeBackWhole) {
  queue::AttemptEnd end{.claim = {queue::JobSeq{4}, {queue::Incarnation{5}, 6}},
                        .result = RunResult::failed,
                        .run_time = std::chrono::microseconds{77},
                        .failure = {ErrorCode::wrong_tenant, "no", {"general.0", 9, queue::ProcessExit{}}}};
  const Event event = AttemptsEnded{ProcessNumber{1}, {end}};
  EXPECT_EQ(bytes_of(again(event)), bytes_of(event));
  EXPECT_EQ(std::get<AttemptsEnded>(again(event)).ends, std::vector{end});
  RoundWork work;
  work.ask<EndsPart>() = std::vector{ClaimEnd{.claim = end.claim, .how = EndRetry{from_us(5), end.failure}}};
  work.ask<NextDuePart>().emplace();
  const Actions actions{RunRound{std::make_shared<const RoundWork>(work)},
                        WakeAt{Instant{std::chrono::microseconds{3}}},
                        Note{.event = "store.lost", .message = "x\n"}};
  const Actions back = again(actions);
  EXPECT_EQ(bytes_of(back), bytes_of(actions));
  EXPECT_EQ(simulation::text_of(back), simulation::text_of(actions));
  EXPECT_EQ(text_of(back[2]), R"(Note{Note::Level 0, "store.lost", "x\x0a", "", ProcessNumber 0, "", ""})");
}

TEST(JournalValues, WhatIsBoundedEndsWhereItWouldGrowBeyond) {
  Encoder encoder;
  const std::vector<std::string> texts(1000, std::string(100, 'x'));
  encoder.limit(5000);
  EXPECT_THROW(encoder.put(texts), Encoder::Full);
  EXPECT_LE(encoder.bytes().size(), 5000U);
  EXPECT_GT(encoder.bytes().size(), 4800U) << "not before";
  encoder.clear();
  encoder.put(texts);
  EXPECT_GT(encoder.bytes().size(), 100'000U);
}

TEST(JournalValues, EqualMapsAreEqualBytesWhateverTheirOrderInMemory) {
  std::unordered_map<queue::KindNumber, int> one;
  std::unordered_map<queue::KindNumber, int> other;
  other.reserve(1000);
  for (int number = 0; number < 100; ++number) {
    one[queue::KindNumber{number}] = number;
    other[queue::KindNumber{99 - number}] = 99 - number;
  }
  EXPECT_EQ(bytes_of(one), bytes_of(other));
  EXPECT_EQ(again(one), one);
}

TEST(JournalValues, WhatIsTenantsOwnIsLeftOutAndOnlyItsLengthIsKept) {
  const std::string secret = "iban DE02 1203 0000 0000 2020 51";
  queue::ClaimedJob job;
  job.kind = "billing.send_invoice";
  job.envelope = secret;
  job.cursor = secret;
  RoundReply reply;
  reply.answer<ClaimsPart>() = std::vector{queue::ClaimReply{.jobs = {job}}};
  queue::OutboxReport report{.owner = {TenantName("acme"), Generation{1}},
                             .rows = {queue::OutboxSeq{1}, {{queue::OutboxSeq{1}, secret}}}};
  const std::vector<Event> events{
      RoundDone{reply}, AttemptsEnded{ProcessNumber{1}, {{.outbox = report}}},
      RunsTold{ProcessNumber{1}, {{.progress = queue::Progress{1, 2, secret}, .cursor = secret}}}};
  for (const Event& event : events) {
    EXPECT_EQ(bytes_of(event).find("iban"), std::string::npos) << event.index();
    EXPECT_EQ(bytes_of(event).find("DE02"), std::string::npos) << event.index();
    // Read again it says the same.
    EXPECT_EQ(bytes_of(again(event)), bytes_of(event));
    EXPECT_NE(text_of(again(event)).find("(32 bytes)"), std::string::npos) << text_of(again(event));
  }
  const Actions assigned{Assign{ProcessNumber{1}, {job}}};
  EXPECT_EQ(bytes_of(assigned).find("iban"), std::string::npos);
  EXPECT_NE(bytes_of(assigned).find("billing.send_invoice"), std::string::npos);
}

struct Before {
  int number = 0;
  std::string text;
};
struct After {
  int number = 0;
  std::int64_t text = 0;
};
struct Longer {
  int number = 0;
  std::string text;
  bool is_more = false;
};

template <class T>
std::uint64_t digest_of() {
  Layout layout;
  layout.add<std::vector<T>>();
  return layout.digest();
}

TEST(JournalValues, AMemberMoreOrOfAnotherTypeIsAnotherLayout) {
  EXPECT_EQ(digest_of<Before>(), digest_of<Before>());
  EXPECT_NE(digest_of<Before>(), digest_of<After>());
  EXPECT_NE(digest_of<Before>(), digest_of<Longer>());
}

struct Swapped {
  std::uint64_t served = 0, given = 0;
};
struct AsItWas {
  std::uint64_t given = 0, served = 0;
};
enum class Colour : std::uint8_t { red = 1, green = 2 };
enum class ReorderedColour : std::uint8_t { green = 1, red = 2 };
enum class FewerColours : std::uint8_t { red = 1 };

// Of the type's own name nothing: it is another one here, and the same in two programs.
template <class T>
std::string layout_of(std::string name) {
  Layout layout;
  layout.add<T>();
  std::string text = layout.text();
  const std::string mangled = typeid(T).name();
  for (const std::string& own : {mangled, name})
    for (std::size_t at = text.find(own); at != std::string::npos; at = text.find(own, at))
      text.replace(at, own.size(), "T");
  return text;
}

TEST(JournalValues, MembersOfOneTypeThatChangePlacesAreAnotherLayout) {
  EXPECT_NE(layout_of<Swapped>("Swapped"), layout_of<AsItWas>("AsItWas"));
  EXPECT_NE(layout_of<SwappedCounts>("SwappedCounts"), layout_of<KeptCounts>("KeptCounts"))
      << "whatever it is told";
  EXPECT_NE(layout_of<KeptCounts>("KeptCounts").find("served_"), std::string::npos)
      << layout_of<KeptCounts>("KeptCounts");
}

TEST(JournalValues, EnumeratorsThatChangePlacesOrAreMoreAreAnotherLayout) {
  const std::string before = layout_of<Colour>("Colour");
  EXPECT_NE(layout_of<ReorderedColour>("ReorderedColour"), before);
  EXPECT_NE(layout_of<FewerColours>("FewerColours"), before);
  EXPECT_NE(before.find("T::red, "), std::string::npos) << before;
}

// Of what is in each journal: the names of its members and enumerators are in the digest.
TEST(JournalValues, TheLayoutOfAJournalNamesWhatItHolds) {
  Layout layout;
  layout.add<Event>();
  layout.add<DispatcherSettings>();
  layout.add<Machine>();
  for (const char* name : {"AttemptEnd::outbox", "Rounds::under_way_", "RunResult::failed",
                           "PoolSettings::queues", "ErrorCode::internal"})
    EXPECT_NE(layout.text().find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace tenure::daemon::journal
