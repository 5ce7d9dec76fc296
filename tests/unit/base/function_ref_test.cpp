#include <tenure/base/function_ref.hpp>
#include <tenure/base/strong.hpp>

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace tenure {
namespace {

int call_twice(FunctionRef<int(int)> function) { return function(1) + function(2); }

TEST(FunctionRef, CallsWhatTheCallerKeepsAlive) {
  int calls = 0;
  const auto count = [&calls](int number) {
    ++calls;
    return number * 10;
  };
  EXPECT_EQ(call_twice(count), 30);
  EXPECT_EQ(calls, 2);
}

TEST(FunctionRef, DoesNotCopyTheCallable) {
  struct Counter {
    int calls = 0;
    Counter() = default;
    Counter(const Counter&) = delete;
    int operator()(int number) { return calls += number; }
  } counter;
  call_twice(counter);
  EXPECT_EQ(counter.calls, 3);
}

TEST(FunctionRef, PassesReferencesAndVoid) {
  std::string text;
  const auto append = [](std::string& to) { to += "x"; };
  const FunctionRef<void(std::string&)> reference = append;
  reference(text);
  EXPECT_EQ(text, "x");
}

using QueueNumber = Strong<struct QueueNumberTag, int>;
using PoolNumber = Strong<struct PoolNumberTag, int>;
static_assert(!std::is_convertible_v<int, QueueNumber>);
static_assert(!std::is_convertible_v<QueueNumber, int>);
static_assert(!std::is_constructible_v<QueueNumber, PoolNumber>);

TEST(Strong, ComparesAndHashesAsItsInteger) {
  EXPECT_LT(QueueNumber{1}, QueueNumber{2});
  EXPECT_EQ(QueueNumber{}, QueueNumber{0});
  const std::unordered_set<QueueNumber> numbers{QueueNumber{1}, QueueNumber{1}, QueueNumber{2}};
  EXPECT_EQ(numbers.size(), 2U);
}

}  // namespace
}  // namespace tenure
