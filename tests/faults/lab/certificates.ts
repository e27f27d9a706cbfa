/** Certificates of every kind that a device may meet, made by OpenSSL. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface Certificates {
  /** The authority's own certificate, as a file: what the device is told to trust. */
  readonly authorityFile: string;
  readonly good: Certificate;
  readonly expired: Certificate;
  readonly notYet: Certificate;
  readonly wrongName: Certificate;
  /** From an authority that nobody here knows. */
  readonly unknown: Certificate;
  /** As a security appliance shows it: the right name, its own authority. */
  readonly inspected: Certificate;
}

export function makeCertificates(folder: string, host: string): Certificates {
  const openssl = (args: string[], at?: string) =>
    execFileSync(
      at === undefined ? "openssl" : "faketime",
      [...(at === undefined ? [] : [at, "openssl"]), ...args],
      {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  const newKey = (name: string) =>
    openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`]);
  const authority = (name: string, subject: string, at?: string) => {
    newKey(name);
    openssl(
      [
        "req",
        "-x509",
        "-new",
        "-key",
        `${name}.key`,
        "-days",
        "20000",
        "-subj",
        subject,
        "-out",
        `${name}.crt`,
      ],
      at,
    );
  };
  const leaf = (name: string, issuer: string, dns: string, at?: string): Certificate => {
    newKey(name);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=DNS:${dns}\n`);
    openssl(["req", "-new", "-key", `${name}.key`, "-subj", `/CN=${dns}`, "-out", `${name}.csr`]);
    openssl(
      [
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        `${issuer}.crt`,
        "-CAkey",
        `${issuer}.key`,
        "-days",
        "365",
        "-extfile",
        `${name}.ext`,
        "-out",
        `${name}.crt`,
      ],
      at,
    );
    const read = (suffix: string) => readFileSync(join(folder, `${name}.${suffix}`), "utf8");
    return { key: read("key"), cert: read("crt") };
  };
  // The good authority is older than anything that the tests turn the clock to.
  authority("authority", "/CN=Laboratory authority", "2020-01-01 00:00:00");
  authority("stranger", "/CN=Unknown authority");
  authority("appliance", "/O=Zscaler Inc./CN=Zscaler Intermediate Root CA");
  return {
    authorityFile: join(folder, "authority.crt"),
    good: leaf("good", "authority", host),
    expired: leaf("expired", "authority", host, "2021-01-01 00:00:00"),
    notYet: leaf("not-yet", "authority", host, "2035-01-01 00:00:00"),
    wrongName: leaf("wrong-name", "authority", "other.lab.test"),
    unknown: leaf("unknown", "stranger", host),
    inspected: leaf("inspected", "appliance", host),
  };
}
