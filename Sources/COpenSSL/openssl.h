// OpenSSL 3 and, as `gh_<macro>`, the function-like macros and constants that Swift cannot import.
#ifndef GATEHOUSE_OPENSSL_H
#define GATEHOUSE_OPENSSL_H
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static inline long gh_SSL_CTX_set_mode(SSL_CTX *c, long m) { return SSL_CTX_set_mode(c, m); }
static inline int gh_SSL_CTX_set_min_proto_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_min_proto_version(c, v); }
static inline int gh_SSL_CTX_set_max_proto_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_max_proto_version(c, v); }
static inline int gh_SSL_CTX_set1_groups_list(SSL_CTX *c, const char *l) { return (int)SSL_CTX_set1_groups_list(c, (char *)l); }
static inline long gh_SSL_CTX_set_session_cache_mode(SSL_CTX *c, long m) { return SSL_CTX_set_session_cache_mode(c, m); }
static inline long gh_SSL_CTX_set_tlsext_servername_callback(SSL_CTX *c, int (*cb)(SSL *, int *, void *)) { return SSL_CTX_set_tlsext_servername_callback(c, cb); }
static inline long gh_SSL_CTX_set_tlsext_servername_arg(SSL_CTX *c, void *a) { return SSL_CTX_set_tlsext_servername_arg(c, a); }
static inline int gh_SSL_set_tlsext_host_name(SSL *s, const char *n) { return (int)SSL_set_tlsext_host_name(s, (char *)n); }
static inline long gh_BIO_get_mem_data(BIO *b, char **p) { return BIO_get_mem_data(b, p); }
static inline void gh_BIO_set_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void gh_BIO_set_retry_write(BIO *b) { BIO_set_retry_write(b); }
static inline void gh_BIO_clear_retry_flags(BIO *b) { BIO_clear_retry_flags(b); }
static inline int gh_BIO_TYPE_SOURCE_SINK(void) { return BIO_TYPE_SOURCE_SINK; }
static inline void gh_GENERAL_NAMES_free(void *p) { GENERAL_NAMES_free((GENERAL_NAMES *)p); }
static inline void gh_OPENSSL_free(void *p) { OPENSSL_free(p); }
static const unsigned long long gh_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const unsigned long long gh_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const unsigned long long gh_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const unsigned long long gh_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const unsigned long long gh_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;
static const int gh_EVP_PKEY_PUBLIC_KEY = EVP_PKEY_PUBLIC_KEY;
static inline int gh_EVP_MD_CTX_get_size(const EVP_MD_CTX *c) { return EVP_MD_CTX_get_size(c); }
static inline int gh_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *c, int t, int a, void *p) { return EVP_CIPHER_CTX_ctrl(c, t, a, p); }
#endif
