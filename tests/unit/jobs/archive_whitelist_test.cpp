#include "payload_contexts.hpp"

// Cereal's own headers for the standard library, as users have them who serialize elsewhere too.
#include <cereal/types/array.hpp>
#include <cereal/types/atomic.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/functional.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <any>
#include <filesystem>
#include <functional>
#include <memory_resource>
#include <span>

namespace tenure {
namespace {

template <class... T>
constexpr bool kAllArguments = ((cereal::traits::is_output_serializable<T, PayloadWriter>::value &&
                                 cereal::traits::is_input_serializable<T, PayloadReader>::value) &&
                                ...);
template <class... T>
constexpr bool kNoArguments = (!(cereal::traits::is_output_serializable<T, PayloadWriter>::value ||
                                 cereal::traits::is_input_serializable<T, PayloadReader>::value) &&
                               ...);

struct Plain {
  int number = 0;
  friend bool operator==(const Plain&, const Plain&) = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

// What docs/formats/arguments.md lists.
static_assert(kAllArguments<bool, char, std::int8_t, std::uint64_t, long long, float, double, std::string,
                            Bytes, std::chrono::hours, std::chrono::sys_days, std::optional<int>, Plain>);
static_assert(kAllArguments<std::vector<int>, std::vector<bool>, std::deque<int>, std::list<int>,
                            std::pmr::vector<int>, std::array<int, 3>, std::pair<int, bool>,
                            std::tuple<int, bool, double>, std::variant<std::monostate, int>>);
static_assert(kAllArguments<std::set<int>, std::unordered_set<int>, std::map<std::string, int>,
                            std::map<int, int>, std::unordered_map<int, int>>);

// What cereal or the compiler would take besides.
static_assert(kNoArguments<std::multimap<int, int>, std::multiset<int>, std::unordered_multimap<int, int>,
                           std::unordered_multiset<int>, std::forward_list<int>, std::queue<int>,
                           std::priority_queue<int>, std::stack<int>>);
static_assert(kNoArguments<std::complex<double>, std::valarray<double>, std::bitset<8>, std::atomic<int>,
                           std::less<int>, std::unique_ptr<int>, std::shared_ptr<int>, std::weak_ptr<int>>);
static_assert(
    kNoArguments<std::wstring, std::u8string, std::u16string, std::u32string, std::pmr::string,
                 std::string_view, std::filesystem::path, std::chrono::year_month_day, std::chrono::weekday>);
static_assert(kNoArguments<std::any, std::span<int>, std::function<void()>, std::reference_wrapper<int>,
                           std::true_type, std::allocator<int>, std::nullptr_t>);
static_assert(
    kNoArguments<__float128, _Complex float, long double, wchar_t, char8_t, int*, int[2], void (*)()>);

// A function of a user's that asks cereal what it may write, as cereal's manual shows it.
template <class T>
struct Box {
  T content{};
  friend bool operator==(const Box&, const Box&) = default;
  template <class Archive,
            cereal::traits::EnableIf<cereal::traits::is_output_serializable<T, Archive>::value> =
                cereal::traits::sfinae>
  void save(Archive& archive) const {
    archive(CEREAL_NVP(content));
  }
  template <class Archive,
            cereal::traits::EnableIf<cereal::traits::is_input_serializable<T, Archive>::value> =
                cereal::traits::sfinae>
  void load(Archive& archive) {
    archive(CEREAL_NVP(content));
  }
};

struct AsksForText {
  std::string format;
  friend bool operator==(const AsksForText&, const AsksForText&) = default;
  template <class Archive>
  void save(Archive& archive) const {
    archive(cereal::make_nvp(
        "format", std::string{cereal::traits::is_text_archive<Archive>::value ? "text" : "bytes"}));
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(cereal::make_nvp(cereal::traits::is_text_archive<Archive>::value ? "format" : "none", format));
  }
};

TEST(ArchiveWhitelist, AFunctionThatAsksCerealWhatItMayWriteIsAnsweredByTheWhitelist) {
  EXPECT_EQ(encoded(Box<std::string>{"x"}), R"({"content":"x"})");
  EXPECT_EQ(decoded<Box<std::vector<Plain>>>(encoded(Box<std::vector<Plain>>{{{1}, {2}}})),
            (Box<std::vector<Plain>>{{{1}, {2}}}));
  static_assert(kNoArguments<Box<std::queue<int>>>);
}

TEST(ArchiveWhitelist, AFunctionThatAsksForATextArchiveFindsOne) {
  EXPECT_EQ(encoded(AsksForText{}), R"({"format":"text"})");
  EXPECT_EQ(decoded<AsksForText>(R"({"format":"text"})"), AsksForText{"text"});
}

}  // namespace
}  // namespace tenure
