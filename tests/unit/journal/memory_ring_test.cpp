#include <tenure/base/random.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <journal/memory_ring.hpp>
#include <string>
#include <vector>

namespace tenure::daemon::journal {
namespace {

std::vector<std::string> all_of(const MemoryRing& ring) {
  std::vector<std::string> all;
  for (const std::string_view piece : ring.pieces()) {
    RecordReader reader(piece);
    for (Record record; reader.next(record);)
      all.push_back(std::string(1, static_cast<char>(record.kind)) + std::string(record.payload));
  }
  return all;
}

TEST(MemoryRing, HoldsTheLatestRecordsWholeAndInOrderWhateverTheirSizes) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    MemoryRing ring(200 + random.below(300));
    std::deque<std::string> put;
    for (int count = 0; count < 400; ++count) {
      const std::string payload(random.below(random.below(8) == 0 ? 190 : 40),
                                static_cast<char>('a' + count % 26));
      const auto kind = static_cast<RecordKind>(1 + random.below(5));
      ASSERT_TRUE(ring.put(kind, payload));
      put.push_back(std::string(1, static_cast<char>(kind)) + payload);
      const std::vector<std::string> all = all_of(ring);
      ASSERT_FALSE(all.empty());
      ASSERT_LE(all.size(), put.size());
      ASSERT_TRUE(std::equal(all.rbegin(), all.rend(), put.rbegin())) << "seed " << seed << " at " << count;
      std::size_t bytes = 0;
      for (const std::string& each : all) bytes += kRecordFront + each.size() - 1;
      ASSERT_LE(bytes, ring.size());
      // No more room is made than two of the largest take.
      if (ring.has_lost_any()) {
        ASSERT_GE(bytes + 2 * (kRecordFront + 190), ring.size()) << "seed " << seed << " at " << count;
      }
      if (put.size() > 200) put.pop_front();
    }
    EXPECT_TRUE(ring.has_lost_any());
  }
}

TEST(MemoryRing, WhatIsLargerThanItChangesNothing) {
  MemoryRing ring(100);
  EXPECT_TRUE(ring.put(RecordKind::event, "one"));
  EXPECT_FALSE(ring.put(RecordKind::event, std::string(100 - kRecordFront + 1, 'x')));
  EXPECT_EQ(all_of(ring), std::vector<std::string>{"\3one"});
  EXPECT_TRUE(ring.put(RecordKind::event, std::string(100 - kRecordFront, 'x')));
  EXPECT_EQ(all_of(ring).size(), 1U);
}

}  // namespace
}  // namespace tenure::daemon::journal
