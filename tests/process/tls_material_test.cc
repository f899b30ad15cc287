#include "process/tls_material.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/temp_dir.h"
#include "tests/support/tls_files.h"

namespace confab::process {
namespace {

using ::testing::HasSubstr;

class TlsMaterialTest : public testing::Test {
 protected:
  // Of that name, which is its own authority.
  TlsFiles Make(const std::string& name) const {
    const tests::TlsFiles made = tests::MakeTlsFiles(dir_.path(), name);
    return {.cert = made.cert_file, .key = made.key_file, .ca = made.cert_file};
  }
  static std::string Fault(const TlsFiles& files) {
    return std::string(TlsMaterial::Load(files, {}).status().message());
  }
  static std::string Text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TempDir dir_;
};

TEST_F(TlsMaterialTest, HoldsKeyAndCertificateWhereTheyCanBeRead) {
  const TlsFiles files = Make("one");

  const auto material = TlsMaterial::Load(files, {}).value();

  EXPECT_EQ(Text(material->identity_path()), Text(files.key) + "\n" + Text(files.cert));
  EXPECT_EQ(Text(material->ca_path()), Text(files.ca));
}

TEST_F(TlsMaterialTest, TakesRenewedFilesUnderTheSamePaths) {
  const TlsFiles files = Make("one");
  const auto material = TlsMaterial::Load(files, {}).value();
  const std::string path = material->identity_path();
  const std::string before = Text(path);

  Make("one");
  EXPECT_EQ(Text(path), before);
  ASSERT_TRUE(material->Reload().ok());

  EXPECT_EQ(material->identity_path(), path);
  EXPECT_EQ(Text(path), Text(files.key) + "\n" + Text(files.cert));
}

TEST_F(TlsMaterialTest, KeepsWhatIsInUseWhenTheFilesAreBroken) {
  const TlsFiles files = Make("one");
  const auto material = TlsMaterial::Load(files, {}).value();
  const std::string before = Text(material->identity_path());

  std::filesystem::copy_file(Make("two").key, files.key,
                             std::filesystem::copy_options::overwrite_existing);
  const absl::Status mixed = material->Reload();
  std::filesystem::remove(files.cert);
  const absl::Status gone = material->Reload();

  EXPECT_THAT(std::string(mixed.message()), HasSubstr("is not the key of the certificate in"));
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Text(material->identity_path()), before);
}

TEST_F(TlsMaterialTest, SaysWhatIsWrong) {
  const TlsFiles good = Make("one");
  const std::string junk = dir_.Write("junk", "junk");
  const auto with = [&](std::string TlsFiles::*field, const std::string& value) {
    TlsFiles files = good;
    files.*field = value;
    return Fault(files);
  };

  EXPECT_EQ(with(&TlsFiles::key, ""),
            "--control-tls-key is missing: TLS needs --control-tls-cert, --control-tls-key and "
            "--control-tls-ca");
  EXPECT_EQ(with(&TlsFiles::cert, junk),
            "--control-tls-cert " + junk + ": holds no PEM certificate");
  EXPECT_THAT(with(&TlsFiles::cert, good.key), HasSubstr("holds no PEM certificate"));
  EXPECT_THAT(with(&TlsFiles::key, junk), HasSubstr("holds no PEM private key"));
  EXPECT_THAT(with(&TlsFiles::ca, junk), HasSubstr("holds no PEM certificate of an authority"));
  EXPECT_THAT(with(&TlsFiles::ca, dir_.Path("none")), HasSubstr("--control-tls-ca: cannot read"));
}

}  // namespace
}  // namespace confab::process
