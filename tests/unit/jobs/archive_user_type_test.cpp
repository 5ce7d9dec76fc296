#include "payload_contexts.hpp"

// As users have them who serialize the same types elsewhere; they must not come between.
#include <cereal/types/chrono.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <stdexcept>

namespace tenure {
namespace {

struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

class Private {
 public:
  Private() = default;
  explicit Private(int number) : number_(number) {}
  friend bool operator==(const Private&, const Private&) = default;

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp("number", number_));
  }
  int number_ = 0;
};

struct Split {
  int number = 0;
  friend bool operator==(const Split&, const Split&) = default;
  template <class Archive>
  void save(Archive& archive) const {
    archive(cereal::make_nvp("doubled", number * 2));
  }
  template <class Archive>
  void load(Archive& archive) {
    int doubled = 0;
    archive(cereal::make_nvp("doubled", doubled));
    number = doubled / 2;
  }
};

struct Minimal {
  std::string word;
  friend bool operator==(const Minimal&, const Minimal&) = default;
  template <class Archive>
  std::string save_minimal(const Archive&) const {
    return word;
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::string& text) {
    if (text.empty()) throw std::invalid_argument("no word\n");
    word = text;
  }
};

struct Free {
  int number = 0;
  friend bool operator==(const Free&, const Free&) = default;
};
template <class Archive>
void serialize(Archive& archive, Free& free) {
  archive(cereal::make_nvp("number", free.number));
}

struct FreeSplit {
  int number = 0;
  friend bool operator==(const FreeSplit&, const FreeSplit&) = default;
};
template <class Archive>
void save(Archive& archive, const FreeSplit& split) {
  archive(cereal::make_nvp("number", split.number));
}
template <class Archive>
void load(Archive& archive, FreeSplit& split) {
  archive(cereal::make_nvp("number", split.number));
}

struct FreeMinimal {
  int number = 0;
  friend bool operator==(const FreeMinimal&, const FreeMinimal&) = default;
};
template <class Archive>
int save_minimal(const Archive&, const FreeMinimal& minimal) {
  return minimal.number;
}
template <class Archive>
void load_minimal(const Archive&, FreeMinimal& minimal, const int& number) {
  minimal.number = number;
}

// Has serialize by inheritance and a pair of its own, and says which counts.
struct Chosen : Free {
  friend bool operator==(const Chosen&, const Chosen&) = default;
  template <class Archive>
  void serialize(Archive&) {}
};
template <class Archive>
void save(Archive& archive, const Chosen& chosen) {
  archive(cereal::make_nvp("chosen", chosen.number));
}
template <class Archive>
void load(Archive& archive, Chosen& chosen) {
  archive(cereal::make_nvp("chosen", chosen.number));
}

}  // namespace
}  // namespace tenure

CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES(tenure::Chosen, cereal::specialization::non_member_load_save)

namespace tenure {
namespace {

struct Base {
  int base = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(base));
  }
};
struct Derived : Base {
  int own = 0;
  friend bool operator==(const Derived& a, const Derived& b) { return a.base == b.base && a.own == b.own; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<Base>(this), CEREAL_NVP(own));
  }
};

struct NamedBase : Base {
  friend bool operator==(const NamedBase& a, const NamedBase& b) { return a.base == b.base; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp("parent", cereal::base_class<Base>(this)));
  }
};

template <class T>
void expect_text(const T& value, std::string_view text) {
  EXPECT_EQ(encoded(value), text);
  EXPECT_EQ(decoded<T>(text), value) << text;
}

TEST(ArchiveUserType, EveryWayOfCerealToDescribeATypeWorks) {
  expect_text(Empty{}, "{}");
  expect_text(Private{5}, R"({"number":5})");
  expect_text(Split{5}, R"({"doubled":10})");
  expect_text(Minimal{"w"}, R"("w")");
  expect_text(Free{5}, R"({"number":5})");
  expect_text(FreeSplit{5}, R"({"number":5})");
  expect_text(FreeMinimal{5}, "5");
  expect_text(Chosen{{5}}, R"({"chosen":5})");
  Derived derived;
  derived.base = 1;
  derived.own = 2;
  expect_text(derived, R"({"base":1,"own":2})");
  NamedBase named;
  named.base = 1;
  expect_text(named, R"({"parent":{"base":1}})");
  expect_text(std::map<std::string, std::vector<Minimal>>{{"k", {{"w"}}}}, R"({"k":["w"]})");
}

struct Growing {
  int old = 0;
  std::optional<int> absent_or_not;
  int priority = 7;
  std::optional<int> engaged = 3;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(old), CEREAL_NVP(absent_or_not), tenure::optional_field(CEREAL_NVP(priority)),
            tenure::optional_field(CEREAL_NVP(engaged)));
  }
};

TEST(ArchiveUserType, SER_08_AbsentFieldsTakeTheirDefaultIfTheyMayBeAbsent) {
  const auto read = decoded<Growing>(R"({"old":1})");
  EXPECT_EQ(read.old, 1);
  EXPECT_EQ(read.absent_or_not, std::nullopt);
  EXPECT_EQ(read.priority, 7);
  EXPECT_EQ(read.engaged, 3);
  EXPECT_EQ(refused_text<Growing>(R"({"priority":1})"), "MissingField at $.old");
  EXPECT_EQ(decoded<Growing>(R"({"old":1,"absent_or_not":null,"priority":2})").priority, 2);
  EXPECT_EQ(refused_text<Growing>(R"({"old":1,"priority":null})"), "WrongType at $.priority");
}

TEST(ArchiveUserType, OptionalFieldIsAlwaysWritten) {
  Growing value;
  value.engaged.reset();
  EXPECT_EQ(encoded(value), R"({"engaged":null,"old":0,"priority":7})");
  EXPECT_EQ(decoded<Growing>(encoded(value)).engaged, std::nullopt);
}

TEST(ArchiveUserType, SER_08_UnknownFieldsAreSkippedAndCountedAtEveryDepth) {
  AcmeOnly context;
  std::size_t unknown = 99;
  const auto read = decode_arguments<std::vector<Private>>(
      R"([{"number":1,"x":[1,{"y":2}],"z":null},{"number":2},{"a":{},"number":3}])", context, {}, &unknown);
  EXPECT_EQ(read, (std::vector<Private>{Private{1}, Private{2}, Private{3}}));
  EXPECT_EQ(unknown, 3U);
}

struct Silent : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};

struct Throwing {
  int what = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(what));
    if (what == 1) throw std::runtime_error("broken\x1b[2J");
    if (what == 2) throw 42;
    if (what == 3) throw std::bad_alloc();
    if (what == 4) raise(ErrorCode::record_not_found, "not there");
    if (what == 5) raise(ErrorCode::record_not_found, "not there", "", "elsewhere");
    if (what == 6) throw Silent();
    if (what == 7) throw_nested(std::runtime_error("outer"));
    if (what == 8) throw_nested(RecordNotFound({ErrorCode::record_not_found, "not there"}));
  }
  template <class Outer>
  static void throw_nested(Outer outer) {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(outer);
    }
  }
};

TEST(ArchiveUserType, WhatAFunctionThrowsIsWrappedWithThePath) {
  for (const std::string in : {"reading", "writing"}) {
    const auto refused = [&](int what) {
      return in == "reading" ? refused_text<std::vector<Throwing>>(R"([{"what":0},{"what":)" +
                                                                   std::to_string(what) + "}]")
                             : refused_value(std::vector<Throwing>{{0}, {what}});
    };
    EXPECT_EQ(refused(0), "accepted");
    EXPECT_EQ(refused(1), "SerializeFailed at $[1]");
    EXPECT_EQ(refused(2), "SerializeFailed at $[1]");
    EXPECT_EQ(refused(3), "OutOfMemory at $[1]");
    EXPECT_EQ(refused(4), "RecordNotFound at $[1]");
    EXPECT_EQ(refused(5), "RecordNotFound at elsewhere");
  }
  EXPECT_EQ(refused_text<std::vector<Minimal>>(R"(["a",""])"), "SerializeFailed at $[1]");
}

TEST(ArchiveUserType, WhatAFunctionThrowsCannotForgeALine) {
  try {
    (void)encoded(Throwing{1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().message, "SerializeFailed: the type's own function threw: broken\\x1b[2J");
  }
}

TEST(ArchiveUserType, WhatAFunctionThrowsKeepsItsTextAndWhatIsNestedInIt) {
  const auto message = [](int what) {
    try {
      (void)encoded(Throwing{what});
    } catch (const Error& error) {
      return error.failure().message;
    }
    return std::string{"accepted"};
  };
  EXPECT_EQ(message(6), "SerializeFailed: the type's own function threw: ");
  EXPECT_EQ(message(7),
            "SerializeFailed: the type's own function threw: outer; because of std::out_of_range: inner");
  EXPECT_EQ(message(8), "not there; because of std::out_of_range: inner");
}

struct HidesErrors {
  double number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    try {
      archive(CEREAL_NVP(number));
    } catch (...) {
    }
  }
};

TEST(ArchiveUserType, AnErrorThatAFunctionHidesIsRefusedAllTheSame) {
  EXPECT_EQ(refused_value(HidesErrors{1}), "accepted");
  EXPECT_TRUE(
      refused_value(HidesErrors{std::numeric_limits<double>::quiet_NaN()}).starts_with("SerializeFailed"));
}

struct SameNameTwice {
  int a = 0, b = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp("a", a), cereal::make_nvp("a", b));
  }
};

TEST(ArchiveUserType, AFunctionThatContradictsItselfIsRefused) {
  EXPECT_EQ(refused_value(SameNameTwice{}), "DuplicateKey at $");
  EXPECT_EQ(refused_text<SameNameTwice>("[1,1]"), "WrongType at $");
}

}  // namespace
}  // namespace tenure
