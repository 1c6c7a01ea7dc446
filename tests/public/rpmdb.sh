#!/usr/bin/env bash
# Makes tests/public/rpmdb.sqlite, the database of packages of the made root: packages that public content asks for,
# none of which has a real content. Wants rpm and rpmbuild (Debian: rpm). Run by hand; the result is committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export SOURCE_DATE_EPOCH=1700000000 HOME=$scratch

# package NAME EPOCH VERSION RELEASE ARCH
package() {
    cat >"$scratch/$1.spec" <<SPEC
Name: $1
Epoch: $2
Version: $3
Release: $4
Summary: A package of the made root
License: Apache-2.0
Vendor: Red Hat, Inc.
BuildArch: $5
%description
It says that it is there.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc/$1
echo '#!/bin/sh' >%{buildroot}/usr/bin/$1-tool
echo 'a = b' >%{buildroot}/etc/$1/$1.conf
%files
%attr(0755,root,root) /usr/bin/$1-tool
%config(noreplace) %attr(0640,root,root) /etc/$1/$1.conf
SPEC
    rpmbuild --quiet -bb --define "_topdir $scratch" --define '_use_internal_dependency_generator 0' \
        --define '__brp_compress /bin/true' --define '__brp_strip /bin/true' \
        --define '_buildhost localhost' --define 'use_source_date_epoch_as_buildtime 1' \
        --define 'clamp_mtime_to_source_date_epoch 1' "$scratch/$1.spec"
}

package audit 0 3.0.7 103.el9 noarch
package sudo 0 1.9.5p2 9.el9_1 noarch
package aide 0 0.16 100.el9 noarch
package openssh-server 0 8.7p1 29.el9_2 noarch
package chrony 0 4.3 1.el9 noarch
package telnet-server 1 0.17 85.el9 noarch
package redhat-release 0 9.1 1.0.el9 noarch
package crypto-policies 0 20221215 1.git9a18988.el9 noarch
package krb5-server 0 1.17 18.el9 noarch
package kernel 0 5.14.0 162.6.1.el9_1 noarch
package vim-minimal 2 8.2.2637 20.el9_1 noarch

mkdir "$scratch/root"
rpm --root "$scratch/root" --define '_dbpath /var/lib/rpm' --initdb
rpm --root "$scratch/root" --define '_dbpath /var/lib/rpm' --justdb --nodeps --noscripts --nosignature --quiet -i \
    "$scratch"/RPMS/noarch/*.rpm
rpm --root "$scratch/root" --define '_dbpath /var/lib/rpm' -qa
cp "$scratch/root/var/lib/rpm/rpmdb.sqlite" rpmdb.sqlite
python3 -c 'import sqlite3; db = sqlite3.connect("rpmdb.sqlite"); db.execute("pragma journal_mode = delete"); db.execute("vacuum")'
