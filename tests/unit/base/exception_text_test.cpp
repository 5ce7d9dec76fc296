#include <tenure/base/error.hpp>
#include <tenure/base/exception_text.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace tenure {
namespace {

struct Silent : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

struct NoException {};

template <class Throw>
std::string thrown(Throw code) {
  try {
    code();
  } catch (...) {
    return text_of_thrown();
  }
  return "nothing";
}

template <class Outer, class Inner>
void throw_nested(Outer outer, Inner inner) {
  try {
    inner();
  } catch (...) {
    std::throw_with_nested(outer);
  }
}

void throw_nested_times(int times) {
  if (times == 0) throw std::logic_error("inmost");
  throw_nested(std::runtime_error(std::to_string(times)), [&] { throw_nested_times(times - 1); });
}

TEST(ExceptionText, NamesTypeAndTextOfWhateverIsThrown) {
  EXPECT_EQ(thrown([] { throw std::out_of_range("no line 7"); }), "std::out_of_range: no line 7");
  EXPECT_EQ(thrown([] { raise(ErrorCode::wrong_tenant, "of acme", {}, "$.x"); }),
            "WrongTenant: of acme (at $.x)");
  EXPECT_EQ(thrown([] { throw 42; }), "int");
  EXPECT_EQ(thrown([] { throw "a text"; }), "char const*: a text");
  EXPECT_TRUE(thrown([] { throw std::string("a text"); }).ends_with(": a text"));
  EXPECT_EQ(thrown([] { throw std::runtime_error("bad \xFF byte"); }),
            "std::runtime_error: bad \xEF\xBF\xBD byte");
}

TEST(ExceptionText, ANullTextIsAnEmptyOne) {
  EXPECT_EQ(text_of(Silent{}), "");
  EXPECT_TRUE(thrown([] { throw Silent{}; }).ends_with("Silent: "));
  // NOLINTNEXTLINE(misc-throw-by-value-catch-by-reference): as users may
  EXPECT_EQ(thrown([] { throw static_cast<const char*>(nullptr); }), "char const*: ");
}

TEST(ExceptionText, KeepsWhatIsNestedWhateverIsInWhat) {
  const auto inner = [] { throw std::out_of_range("no line 7"); };
  EXPECT_EQ(thrown([&] { throw_nested(std::runtime_error("cannot load"), inner); }),
            "std::runtime_error: cannot load; because of std::out_of_range: no line 7");
  EXPECT_EQ(thrown([&] {
              throw_nested(RecordNotFound({ErrorCode::record_not_found, "gone"}), inner);
            }),
            "RecordNotFound: gone; because of std::out_of_range: no line 7");
  EXPECT_TRUE(thrown([&] {
                throw_nested(NoException{}, inner);
              }).ends_with("NoException; because of std::out_of_range: no line 7"));
  EXPECT_EQ(
      thrown([&] { throw_nested(std::runtime_error("x"), [] { raise(ErrorCode::store_busy, "busy"); }); }),
      "std::runtime_error: x; because of StoreBusy: busy");
  EXPECT_EQ(thrown([&] { throw_nested(std::runtime_error("x"), [] { throw 42; }); }),
            "std::runtime_error: x; because of int");
}

TEST(ExceptionText, NestingIsFollowedSixteenDeep) {
  EXPECT_TRUE(thrown([] { throw_nested_times(16); }).ends_with("; because of std::logic_error: inmost"));
  EXPECT_TRUE(thrown([] { throw_nested_times(17); }).ends_with("std::runtime_error: 1; because of more"));
}

TEST(ExceptionText, NestedInNothingIsNoText) {
  EXPECT_EQ(text_of_nested(std::runtime_error("alone")), "");
  EXPECT_EQ(thrown([] { std::throw_with_nested(std::runtime_error("outside a catch block")); }),
            "std::runtime_error: outside a catch block");
}

}  // namespace
}  // namespace tenure
