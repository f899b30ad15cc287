#include "edge/transport/tls_session.h"

#include <array>
#include <fstream>
#include <functional>
#include <string>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tests/support/tls_files.h"

namespace confab::edge {
namespace {

using testing::HasSubstr;
using tests::MakeTlsFiles;
using tests::TlsFiles;

std::string Folder() { return testing::TempDir(); }

// A client's side without a socket, which asks for nothing but to be let in.
class TlsClient {
 public:
  explicit TlsClient(std::shared_ptr<const TlsKeys> keys)
      : trust_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(trust_)), session_(*keys) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_, in_, out_);
    SSL_set_connect_state(ssl_);
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(trust_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  SSL* ssl() { return ssl_; }
  TlsSession& session() { return session_; }

  // What the client has said goes to the session.
  void ToSession() {
    std::array<char, 4096> bytes{};
    for (int n = 0; (n = BIO_read(out_, bytes.data(), bytes.size())) > 0;) {
      session_.Feed({bytes.data(), static_cast<std::size_t>(n)});
    }
  }
  void ToClient() {
    const std::string_view bytes = session_.outgoing();
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    session_.Consume(bytes.size());
  }

  TlsSession::Step ShakeHands() {
    TlsSession::Step step = TlsSession::Step::kWantsInput;
    for (int i = 0; i < 4; ++i) {
      SSL_do_handshake(ssl_);
      ToSession();
      step = session_.Handshake();
      ToClient();
    }
    return step;
  }

 private:
  SSL_CTX* trust_;
  SSL* ssl_;
  BIO* in_;   // Owned by ssl_.
  BIO* out_;  // Owned by ssl_.
  TlsSession session_;
};

std::shared_ptr<const TlsKeys> LoadKeys(const std::string& name) {
  const TlsFiles files = MakeTlsFiles(Folder(), name);
  return *TlsKeys::Load(files.cert_file, files.key_file);
}

std::string ErrorOf(const std::string& cert_file, const std::string& key_file) {
  return std::string(TlsKeys::Load(cert_file, key_file).status().message());
}

TEST(TlsKeys, NamesTheFileThatIsWrong) {
  const TlsFiles files = MakeTlsFiles(Folder(), "good");
  const TlsFiles other = MakeTlsFiles(Folder(), "other");
  const std::string garbage = Folder() + "/garbage.pem";
  std::ofstream(garbage) << "no certificate";

  EXPECT_THAT(ErrorOf(garbage, files.key_file), HasSubstr("garbage.pem: holds no PEM certificate"));
  EXPECT_THAT(ErrorOf(files.cert_file, garbage),
              HasSubstr("garbage.pem: holds no PEM private key"));
  EXPECT_THAT(ErrorOf(files.cert_file, other.key_file),
              HasSubstr("other.key: is not the key of the certificate in"));
  EXPECT_THAT(ErrorOf(files.cert_file, Folder() + "/none.key"), HasSubstr("cannot read"));
}

TEST(TlsKeys, AsksNobodyForAPassword) {
  const TlsFiles files = MakeTlsFiles(Folder(), "locked");
  std::FILE* file = std::fopen(files.key_file.c_str(), "re");
  EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  file = std::fopen(files.key_file.c_str(), "we");
  unsigned char password[] = "secret";
  PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), password, 6, nullptr, nullptr);
  std::fclose(file);
  EVP_PKEY_free(key);

  EXPECT_THAT(ErrorOf(files.cert_file, files.key_file), HasSubstr("without a password"));
}

TEST(TlsKeys, TellsItsTimesAndItsName) {
  const auto keys = LoadKeys("times");

  EXPECT_LE(keys->not_before(), absl::Now());
  EXPECT_NEAR(absl::ToDoubleSeconds(keys->not_after() - absl::Now()), 3'600, 10);
  EXPECT_EQ(keys->subject(), "/CN=times");
}

TEST(TlsSession, AgreesOnHttp11) {
  TlsClient client(LoadKeys("alpn"));
  constexpr unsigned char kOffered[] = "\x02h2\x08http/1.1";
  SSL_set_alpn_protos(client.ssl(), kOffered, sizeof(kOffered) - 1);

  ASSERT_EQ(client.ShakeHands(), TlsSession::Step::kDone);

  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(client.ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  EXPECT_STREQ(SSL_get_version(client.ssl()), "TLSv1.3");
}

TEST(TlsSession, RefusesVersionsBefore12) {
  TlsClient client(LoadKeys("old"));
  SSL_set_max_proto_version(client.ssl(), TLS1_1_VERSION);
  SSL_set_security_level(client.ssl(), 0);

  EXPECT_EQ(client.ShakeHands(), TlsSession::Step::kFailed);
}

TEST(TlsSession, KnowsWhatIsNoTls) {
  TlsSession http(*LoadKeys("http"));
  http.Feed(std::string("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(http.Handshake(), TlsSession::Step::kNoTls);

  TlsSession noise(*LoadKeys("noise"));
  noise.Feed(std::string(100, 'z'));
  EXPECT_EQ(noise.Handshake(), TlsSession::Step::kNoTls);
}

TEST(TlsSession, BearsAFewKeyUpdatesAndNoFlood) {
  TlsClient client(LoadKeys("updates"));
  ASSERT_EQ(client.ShakeHands(), TlsSession::Step::kDone);
  std::array<char, 64> space{};
  std::size_t count = 0;
  const auto update = [&] {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client.ssl());
    client.ToSession();
    return client.session().Read(space, count);
  };
  for (int i = 0; i < 20; ++i) ASSERT_EQ(update(), TlsSession::Step::kWantsInput);
  client.ToClient();
  SSL_write(client.ssl(), "data", 4);
  client.ToSession();
  ASSERT_EQ(client.session().Read(space, count), TlsSession::Step::kDone);

  int updates = 0;
  while (updates < 100'000 && update() == TlsSession::Step::kWantsInput) ++updates;

  EXPECT_LT(updates, 24 * 1024 / 20);
  EXPECT_EQ(client.session().last_error(), "too much without any data");
}

TEST(TlsSession, EndsAnEndlessHandshake) {
  TlsSession session(*LoadKeys("endless"));
  // A client hello of 120,000 bytes, as far as its length goes, in records of 16 KiB.
  std::string records;
  for (int i = 0; i < 7; ++i) {
    std::string body(16'384, 'x');
    if (i == 0) body.replace(0, 6, std::string("\x01\x01\xd4\xc0\x03\x03", 6));
    records += std::string("\x16\x03\x01\x40\x00", 5) + body;
  }
  TlsSession::Step step = TlsSession::Step::kWantsInput;
  std::size_t fed = 0;
  for (; fed < records.size() && step == TlsSession::Step::kWantsInput; fed += 4'096) {
    session.Feed(std::string_view(records).substr(fed, 4'096));
    step = session.Handshake();
  }

  EXPECT_EQ(step, TlsSession::Step::kFailed);
  EXPECT_LT(fed, 32'000u);
}

}  // namespace
}  // namespace confab::edge
