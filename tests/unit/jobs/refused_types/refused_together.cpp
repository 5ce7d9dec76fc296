// Arguments of which none may compile, with the headers by which cereal itself would take some of them.
#include <tenure/jobs/archive.hpp>

#include <cereal/types/bitset.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/vector.hpp>

#include <filesystem>
#include <memory_resource>

namespace {

struct VersionedMinimal {
  int number = 0;
  template <class Archive>
  int save_minimal(const Archive&, std::uint32_t) const {
    return number;
  }
  template <class Archive>
  void load_minimal(const Archive&, const int& from, std::uint32_t) {
    number = from;
  }
};

struct VersionedLoad {
  int number = 0;
  template <class Archive>
  void save(Archive& archive) const {
    archive(CEREAL_NVP(number));
  }
  template <class Archive>
  void load(Archive& archive, std::uint32_t) {
    archive(CEREAL_NVP(number));
  }
};

struct ChangedBySave {
  int number = 0;
  template <class Archive>
  void save(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

struct ChangedBySaveMinimal {
  int number = 0;
  template <class Archive>
  int save_minimal(const Archive&) {
    return number;
  }
  template <class Archive>
  void load_minimal(const Archive&, const int& from) {
    number = from;
  }
};

class PrivateConstructor {
 public:
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number_));
  }

 private:
  friend class cereal::access;
  PrivateConstructor() = default;
  int number_ = 0;
};

struct Immovable {
  Immovable() = default;
  Immovable(const Immovable&) = delete;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

struct ContainerAsBase : std::list<int> {
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<std::list<int> >(this));
  }
};

struct InheritedContainer : std::vector<std::string> {};

struct Unnamed {
  unsigned short number = 0;
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text), number);
  }
};

struct UnnamedByOperator {
  short number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive& number;
  }
};

struct UnnamedWhenReading {
  float number = 0;
  template <class Archive>
  void save(Archive& archive) const {
    archive(CEREAL_NVP(number));
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(number);
  }
};

using Vector [[gnu::vector_size(16)]] = int;

template <class T>
struct Holds {
  T member{};
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(member));
  }
};

template <class... T>
void write_and_read(std::string_view text, tenure::PayloadContext& context) {
  (static_cast<void>(tenure::encode_arguments(tenure::decode_arguments<T>(text, context), context)), ...);
}

}  // namespace

void write_and_read_all(std::string_view text, tenure::PayloadContext& context) {
  write_and_read<Holds<__int128>, Holds<__float128>, Holds<_Complex double>, Holds<Vector>,
                 Holds<std::chrono::duration<__int128> > >(text, context);
  write_and_read<Holds<std::wstring>, Holds<std::u8string>, Holds<std::map<std::pmr::string, int> > >(
      text, context);
  write_and_read<Holds<std::multimap<int, int> >, Holds<std::unordered_multiset<int> >,
                 Holds<std::bitset<8> >, Holds<std::vector<std::queue<int> > >,
                 Holds<std::chrono::year_month_day>, Holds<std::filesystem::path> >(text, context);
  write_and_read<VersionedMinimal, VersionedLoad, ChangedBySave, ChangedBySaveMinimal>(text, context);
  write_and_read<Holds<std::vector<PrivateConstructor> >, Immovable, Holds<const int> >(text, context);
  write_and_read<ContainerAsBase, InheritedContainer>(text, context);
  write_and_read<Unnamed, UnnamedByOperator, UnnamedWhenReading>(text, context);
}
