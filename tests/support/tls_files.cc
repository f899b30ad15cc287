#include "tests/support/tls_files.h"

#include <cstdio>
#include <memory>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace confab::tests {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void AddNames(X509* cert) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_add_ext(cert, names, -1);
  X509_EXTENSION_free(names);
}

}  // namespace

TlsFiles MakeTlsFiles(const std::string& folder, const std::string& name) {
  TlsFiles files{.cert_file = folder + "/" + name + ".crt",
                 .key_file = folder + "/" + name + ".key"};
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, void (*)(X509*)> cert(X509_new(), X509_free);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3'600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  AddNames(cert.get());
  EXPECT_NE(X509_sign(cert.get(), key.get(), EVP_sha256()), 0);
  const File cert_out(std::fopen(files.cert_file.c_str(), "we"), std::fclose);
  const File key_out(std::fopen(files.key_file.c_str(), "we"), std::fclose);
  EXPECT_EQ(PEM_write_X509(cert_out.get(), cert.get()), 1);
  EXPECT_EQ(PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  return files;
}

}  // namespace confab::tests
