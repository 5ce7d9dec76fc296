#include <tenure/base/thread_bound.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <thread>

namespace tenure {
namespace {

class Counter {
 public:
  void count() {
    thread_.check();
    ++count_;
  }
  void hand_over() { thread_.release(); }
  [[nodiscard]] int count_now() const { return count_; }

 private:
  ThreadBound thread_{"Counter"};
  int count_ = 0;
};

template <class Function>
void on_thread(const char* name, Function function) {
  std::thread([&] {
    ::pthread_setname_np(::pthread_self(), name);
    function();
  }).join();
}

TEST(ThreadBound, TheFirstCallerMayGoOnCalling) {
  Counter counter;
  on_thread("second", [&] {
    counter.count();
    counter.count();
  });
  EXPECT_EQ(counter.count_now(), 2) << "who made it does not matter";
}

TEST(ThreadBound, HandedOverItBelongsToTheNextCaller) {
  Counter counter;
  counter.count();
  counter.hand_over();
  on_thread("second", [&] { counter.count(); });
  EXPECT_EQ(counter.count_now(), 2);
}

TEST(ThreadBoundDeathTest, ACallFromAnotherThreadEndsTheProgramAndNamesAllThree) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        Counter counter;
        ::pthread_setname_np(::pthread_self(), "owner");
        counter.count();
        on_thread("stranger", [&] { counter.count(); });
      },
      "Counter is bound to owner \\([0-9]+\\) and was called on stranger \\([0-9]+\\).*thread_bound_test");
}

TEST(ThreadBoundDeathTest, OnlyTheOwnerHandsOver) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        Counter counter;
        counter.count();
        on_thread("thief", [&] { counter.hand_over(); });
      },
      "was called on thief");
}

}  // namespace
}  // namespace tenure
