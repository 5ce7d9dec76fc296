// Each row is an argument type that must not compile; ROW_none is the one that must.
#include <tenure/jobs/archive.hpp>

#include <chrono>
#include <memory>

#if defined(ROW_registered_polymorphic)
#include <cereal/types/polymorphic.hpp>
#endif

namespace {

enum class Undeclared { a, b };

struct Plain {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

struct Polymorphic {
  virtual ~Polymorphic() = default;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};
struct Derived : Polymorphic {
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<Polymorphic>(this));
  }
};

struct Silent {
  int number = 0;
};

struct OnlySave {
  template <class Archive>
  void save(Archive& archive) const {
    archive(1);
  }
};

struct Versioned {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t) {
    archive(CEREAL_NVP(number));
  }
};

struct TwoFunctions {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
  template <class Archive>
  void save(Archive& archive) const {
    archive(CEREAL_NVP(number));
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

struct Raw {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::binary_data(&number, sizeof number));
  }
};

struct Deferring {
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::defer(number));
  }
};

struct NeedsNumber {
  explicit NeedsNumber(int initial) : number(initial) {}
  int number;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

template <class T>
struct Holds {
  T member{};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(member));
  }
};

struct HoldsArray {
  int member[3] = {};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(member));
  }
};

#if defined(ROW_none)
using Argument = Holds<Plain>;
#elif defined(ROW_raw_pointer)
using Argument = Holds<int*>;
#elif defined(ROW_char_pointer)
using Argument = Holds<const char*>;
#elif defined(ROW_unique_ptr)
using Argument = Holds<std::unique_ptr<Plain> >;
#elif defined(ROW_shared_ptr)
using Argument = Holds<std::shared_ptr<Plain> >;
#elif defined(ROW_nested_shared_ptr)
using Argument = Holds<std::map<std::string, std::vector<std::optional<std::shared_ptr<Plain> > > > >;
#elif defined(ROW_polymorphic)
using Argument = Holds<Polymorphic>;
#elif defined(ROW_registered_polymorphic)
using Argument = Holds<Derived>;
#elif defined(ROW_binary_data)
using Argument = Raw;
#elif defined(ROW_deferred)
using Argument = Deferring;
#elif defined(ROW_enum_without_range)
using Argument = Holds<Undeclared>;
#elif defined(ROW_std_byte)
using Argument = Holds<std::vector<std::byte> >;
#elif defined(ROW_c_array)
using Argument = HoldsArray;
#elif defined(ROW_string_view)
using Argument = Holds<std::string_view>;
#elif defined(ROW_long_double)
using Argument = Holds<long double>;
#elif defined(ROW_wide_character)
using Argument = Holds<wchar_t>;
#elif defined(ROW_no_serialize)
using Argument = Holds<Silent>;
#elif defined(ROW_save_without_load)
using Argument = Holds<OnlySave>;
#elif defined(ROW_versioned)
using Argument = Versioned;
#elif defined(ROW_two_functions)
using Argument = TwoFunctions;
#elif defined(ROW_no_default_constructor)
using Argument = Holds<std::vector<NeedsNumber> >;
#elif defined(ROW_fraction_duration)
using Argument = Holds<std::chrono::duration<double> >;
#elif defined(ROW_steady_time)
using Argument = Holds<std::chrono::time_point<std::chrono::steady_clock> >;
#elif defined(ROW_optional_optional)
using Argument = Holds<std::optional<std::optional<int> > >;
#endif

}  // namespace

#if defined(ROW_registered_polymorphic)
CEREAL_REGISTER_TYPE(Derived)
#endif

std::string write(const Argument& argument, tenure::PayloadContext& context) {
  return tenure::encode_arguments(argument, context);
}
Argument read(std::string_view text, tenure::PayloadContext& context) {
  return tenure::decode_arguments<Argument>(text, context);
}
