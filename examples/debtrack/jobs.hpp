#pragma once

#include <tenure/client.hpp>

#include <cereal/cereal.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The jobs of debtrack: plain data that the application enqueues and the worker program performs.
namespace debtrack {

// A record of a tenant's database.
struct Package {
  std::int64_t id = 0;
  std::string name;
  std::string version;
  std::int64_t installed_kib = 0;
  std::string summary;
};

// Writes one package into its maintainer's database.
struct ImportPackage {
  static constexpr std::string_view kind = "debtrack.import_package";
  static tenure::JobOptions options() { return {.queue = "imports"}; }

  std::string name;
  std::string version;
  std::string architecture;
  std::string section;
  std::string summary;
  std::int64_t installed_kib = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(version), CEREAL_NVP(architecture), CEREAL_NVP(section),
            CEREAL_NVP(summary), CEREAL_NVP(installed_kib));
  }
};

// Adds up what its maintainer has.
struct Summarise {
  static constexpr std::string_view kind = "debtrack.summarise";
  static tenure::JobOptions options() { return {.queue = "reports"}; }

  template <class Archive>
  void serialize(Archive&) {}
};

// Writes a few lines about a maintainer. It names a record, and so carries the tenant that the record belongs to.
struct WriteDigest {
  static constexpr std::string_view kind = "debtrack.write_digest";
  static tenure::JobOptions options() { return {.queue = "reports", .priority = 10}; }

  tenure::Ref<Package> largest;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(largest));
  }
};

}  // namespace debtrack

template <>
struct tenure::Model<debtrack::Package> {
  static constexpr std::string_view name = "Package";

  static std::optional<debtrack::Package> load(tenure::TenantReader& reader, std::string_view id) {
    auto rows =
        reader.query("select id, name, version, installed_kib, summary from package where id = ?", id);
    if (!rows.next()) return std::nullopt;
    const tenure::TenantRow& row = rows.row();
    return debtrack::Package{.id = row.integer(0),
                             .name = std::string{row.text(1)},
                             .version = std::string{row.text(2)},
                             .installed_kib = row.integer(3),
                             .summary = std::string{row.text(4)}};
  }
};
