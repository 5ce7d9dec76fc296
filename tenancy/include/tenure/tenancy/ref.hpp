#pragma once

#include <tenure/base/error.hpp>
#include <tenure/tenancy/global_id.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/value.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenure {

// How a record is found by its id, once per model:
//   template <> struct tenure::Model<Invoice> {
//     static constexpr std::string_view name = "Invoice";
//     static std::optional<Invoice> load(tenure::TenantReader& reader, std::string_view id);
//     static constexpr bool shared = true;  // only for models without tenant: their ids work in any scope
//   };
template <class T>
struct Model;

template <class T>
concept Locatable = requires(TenantReader& reader, std::string_view id) {
  { Model<T>::name } -> std::convertible_to<std::string_view>;
  { Model<T>::load(reader, id) } -> std::same_as<std::optional<T>>;
};

namespace detail {
template <class T>
[[nodiscard]] constexpr std::string_view model_name() {
  constexpr bool kIsModel = requires { Model<T>::name; };
  static_assert(kIsModel,
                "tenure: a Ref<T> needs `template <> struct tenure::Model<T>` with `name` and `load`, before "
                "its first use.");
  if constexpr (kIsModel) return Model<T>::name;
  else return {};
}
}  // namespace detail

template <class T>
[[nodiscard]] consteval bool is_shared_model() {
  if constexpr (requires { Model<T>::shared; }) {
    static_assert(std::is_same_v<decltype(Model<T>::shared), const bool>,
                  "tenure: `shared` of a Model is `static constexpr bool shared`.");
    return Model<T>::shared;
  } else {
    return false;
  }
}

namespace detail {
// Whose a model's records are; an id of a shared one names no tenant.
enum class RecordsOf : std::uint8_t { one_tenant, all_tenants };
template <class T>
[[nodiscard]] consteval RecordsOf records_of() {
  return is_shared_model<T>() ? RecordsOf::all_tenants : RecordsOf::one_tenant;
}
// The parts of Ref and locate that know no type.
[[nodiscard]] Result<GlobalId> checked_id(Result<GlobalId> id, std::string_view model, RecordsOf records);
void require_locatable(const TenantReader& reader, const std::optional<GlobalId>& id, RecordsOf records);
[[noreturn]] void raise_not_found(const TenantReader& reader, const std::vector<std::string>& missing);
[[noreturn]] void raise_empty_ref(std::string_view model);
}  // namespace detail

// A Global ID of a record of model T. It comes from a reader (reader.ref<T>(42)), from a loaded record, or
// from text that is parsed and checked; never from a bare id, and the scope never gives it its tenant.
template <class T>
class Ref {
 public:
  // Refers to nothing: only a place to decode into. Whatever uses it is BadGlobalId.
  Ref() = default;

  // BadGlobalId also for another model, and for a tenant in the id of a shared one. An id without tenant
  // parses: it is MissingTenant when it is located or enqueued.
  [[nodiscard]] static Result<Ref> parse(std::string_view text) {
    auto id = detail::checked_id(GlobalId::parse(text), detail::model_name<T>(), detail::records_of<T>());
    if (!id) return tl::unexpected<Failure>(std::move(id.error()));
    return Ref{*std::move(id)};
  }

  [[nodiscard]] bool empty() const { return !id_; }
  [[nodiscard]] const GlobalId& global_id() const {
    if (!id_) detail::raise_empty_ref(detail::model_name<T>());
    return *id_;
  }
  [[nodiscard]] const std::string& id() const { return global_id().id(); }
  [[nodiscard]] const std::optional<TenantName>& tenant() const { return global_id().tenant(); }
  [[nodiscard]] std::string text() const { return global_id().text(); }

  // Bound to SQL it is its id; the statement refuses it where its tenant is not the handle's.
  operator TenantValue() const {  // NOLINT(google-explicit-constructor)
    if (!is_shared_model<T>() && !tenant())
      raise(ErrorCode::missing_tenant, "the id " + text() + " does not say its tenant");
    return TenantValue::record_id(id(), tenant() ? &*tenant() : nullptr);
  }

  friend bool operator==(const Ref&, const Ref&) = default;

 private:
  friend class TenantReader;
  explicit Ref(GlobalId id) : id_(std::move(id)) {}
  std::optional<GlobalId> id_;
};

// A record together with where it came from. A value: it stays readable after its handle has ended.
template <class T>
class Loaded {
 public:
  [[nodiscard]] const T& operator*() const { return value_; }
  [[nodiscard]] const T* operator->() const { return &value_; }
  [[nodiscard]] T& operator*() { return value_; }
  [[nodiscard]] T* operator->() { return &value_; }
  [[nodiscard]] const Ref<T>& ref() const { return ref_; }
  // The tenant whose database it was read from.
  [[nodiscard]] const TenantName& tenant() const { return tenant_; }
  [[nodiscard]] Generation generation() const { return generation_; }

  operator TenantValue() const { return ref_; }  // NOLINT(google-explicit-constructor)

 private:
  template <class U>
  friend std::vector<Loaded<U>> locate_all(TenantReader&, std::span<const Ref<U>>);
  Loaded(T value, Ref<T> ref, const TenantReader& reader)
      : value_(std::move(value)),
        ref_(std::move(ref)),
        tenant_(reader.tenant()),
        generation_(reader.generation()) {}

  T value_;
  Ref<T> ref_;
  TenantName tenant_;
  Generation generation_;
};

// Finds the records of `refs`, in their order. All are checked before the first is looked up, each in the
// order MissingTenant, NoTenant, WrongTenant, BadGlobalId (another application's). Records that are gone: one
// RecordNotFound that lists them.
template <class T>
[[nodiscard]] std::vector<Loaded<T>> locate_all(TenantReader& reader, std::span<const Ref<T>> refs) {
  static_assert(Locatable<T>,
                "tenure: what is located has a Model with `name` and `static std::optional<T> "
                "load(tenure::TenantReader& reader, std::string_view id)`.");
  std::vector<Loaded<T>> records;
  if constexpr (Locatable<T>) {
    for (const Ref<T>& ref : refs) {
      detail::require_locatable(reader, ref.empty() ? std::nullopt : std::optional{ref.global_id()},
                                detail::records_of<T>());
    }
    std::vector<std::string> missing;
    records.reserve(refs.size());
    for (const Ref<T>& ref : refs) {
      if (std::optional<T> value = Model<T>::load(reader, ref.id()))
        records.push_back(Loaded<T>{*std::move(value), ref, reader});
      else missing.push_back(ref.text());
    }
    if (!missing.empty()) detail::raise_not_found(reader, missing);
  }
  return records;
}
template <class T>
[[nodiscard]] std::vector<Loaded<T>> locate_all(TenantReader& reader, const std::vector<Ref<T>>& refs) {
  return locate_all<T>(reader, std::span<const Ref<T>>{refs});
}

// Finds the record of `ref`. Failures: as locate_all.
template <class T>
[[nodiscard]] Loaded<T> locate(TenantReader& reader, const Ref<T>& ref) {
  return std::move(locate_all<T>(reader, std::span<const Ref<T>>{&ref, 1}).front());
}

template <class T, class Id>
Ref<T> TenantReader::ref(const Id& id) const {
  static_assert(!std::is_same_v<Id, bool> && !std::is_same_v<Id, char>,
                "tenure: the id of a record is an integer or text, and no bool or char.");
  require_usable();
  std::optional<TenantName> owner;
  if constexpr (!is_shared_model<T>()) owner = tenant();
  if constexpr (std::integral<Id>)
    return Ref<T>{GlobalId{application(), detail::model_name<T>(), std::to_string(id), std::move(owner)}};
  else
    return Ref<T>{GlobalId{application(), detail::model_name<T>(), std::string_view{id}, std::move(owner)}};
}

}  // namespace tenure

template <class T>
struct std::hash<tenure::Ref<T>> {
  std::size_t operator()(const tenure::Ref<T>& ref) const {
    return ref.empty() ? 0 : std::hash<tenure::GlobalId>{}(ref.global_id());
  }
};
