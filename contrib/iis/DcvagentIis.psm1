# DcvagentIis.psm1: certificates that dcvagent has got, installed in IIS. For Windows PowerShell 5.1 as administrator, IIS 8 and later.
#
#   Remove-OldIntermediate  -Chain chain.pem            intermediates that were reissued under the same name: the old ones go
#   Import-Intermediate     -Chain chain.pem            intermediates and cross certificates into the store for them, never into the roots
#   Install-SitePfx         -Pfx bundle.pfx -Site NAME  key, certificate and chain; bound to the site
#   Complete-SiteRequest    -Reply fullchain.p7b -Site NAME   the reply to a request that IIS made; bound to the site
#
# Not run on Windows by those who wrote it: try it with -WhatIf, and on a machine that may break. Every function takes -WhatIf and -Confirm.

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$ServerAuth = '1.3.6.1.5.5.7.3.1'
$AnyPurpose = '2.5.29.37.0'

# --- certificates in files ------------------------------------------------------------------------------------------------------------

# All certificates of a PEM file. (X509Certificate2Collection.Import takes the first one only.)
function Read-PemCertificate([string]$Path) {
    $text = [IO.File]::ReadAllText((Resolve-Path -LiteralPath $Path).ProviderPath)
    $blocks = [regex]::Matches($text, '(?s)-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----')
    if ($blocks.Count -eq 0) {
        throw "$Path holds no certificate in PEM."
    }
    foreach ($block in $blocks) {
        $octets = [Convert]::FromBase64String(($block.Groups[1].Value -replace '\s', ''))
        New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 (, $octets)
    }
}

# May it stand above a server's certificate today? Without an extended key usage, or with serverAuth in it.
function Test-ServerAuth($Certificate, [switch]$Stated) {
    $usage = $Certificate.Extensions | Where-Object { $_.Oid.Value -eq '2.5.29.37' } | Select-Object -First 1
    if (-not $usage) {
        return -not $Stated
    }
    $names = @($usage.EnhancedKeyUsages | ForEach-Object { $_.Value })
    return ($names -contains $ServerAuth) -or ($names -contains $AnyPurpose)
}

function Test-SelfSigned($Certificate) {
    return $Certificate.Subject -eq $Certificate.Issuer
}

# --- the store of intermediates ("Intermediate Certification Authorities") --------------------------------------------------------------

function Open-Intermediates {
    $store = New-Object System.Security.Cryptography.X509Certificates.X509Store 'CA', 'LocalMachine'
    $store.Open('ReadWrite')
    return $store
}

# Hongkong Post reissued its intermediates under the same name with an extended key usage (for certificates from 2025-05-01). What has the name of an
# intermediate in the new chain, is not in it, and states no serverAuth, goes. Cross certificates and foreign names stay.
function Remove-OldIntermediate {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param([Parameter(Mandatory = $true)][string]$Chain)

    $current = @(Read-PemCertificate $Chain | Where-Object { -not (Test-SelfSigned $_) -and (Test-ServerAuth $_ -Stated) })
    $store = Open-Intermediates
    try {
        foreach ($old in @($store.Certificates)) {
            $named = @($current | Where-Object { $_.Subject -eq $old.Subject -and $_.Issuer -eq $old.Issuer })
            $kept = @($current | Where-Object { $_.Thumbprint -eq $old.Thumbprint })
            if ($named.Count -eq 0 -or $kept.Count -gt 0 -or (Test-ServerAuth $old -Stated)) {
                continue
            }
            if ($PSCmdlet.ShouldProcess("$($old.Subject), serial $($old.SerialNumber)", 'remove the old intermediate')) {
                $store.Remove($old)
            }
        }
    } finally {
        $store.Close()
    }
}

function Add-Intermediate($Certificates, $Cmdlet) {
    $store = Open-Intermediates
    try {
        foreach ($new in $Certificates) {
            if (Test-SelfSigned $new) {
                Write-Warning "$($new.Subject) is a root: it is not imported. Windows gets its roots from Microsoft."
            } elseif (@($store.Certificates | Where-Object { $_.Thumbprint -eq $new.Thumbprint }).Count -gt 0) {
                Write-Verbose "$($new.Subject) is there already."
            } elseif ($Cmdlet.ShouldProcess($new.Subject, 'import as an intermediate')) {
                $store.Add($new)
            }
        }
    } finally {
        $store.Close()
    }
}

function Import-Intermediate {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true)][string]$Chain)

    Add-Intermediate @(Read-PemCertificate $Chain) $PSCmdlet
}

# --- the site ---------------------------------------------------------------------------------------------------------------------------

# The binding is changed in place: at no moment does the site have none.
function Set-SiteCertificate {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)][string]$Thumbprint,
        [Parameter(Mandatory = $true)][string]$Site,
        [int]$Port = 443,
        [string]$HostHeader = ''
    )

    Import-Module WebAdministration
    if (-not (Test-Path -LiteralPath "IIS:\Sites\$Site")) {
        throw "There is no site '$Site'."
    }
    $find = { Get-WebBinding -Name $Site -Protocol https | Where-Object { $_.bindingInformation.EndsWith(":${Port}:$HostHeader", 'OrdinalIgnoreCase') } }
    $bindings = @(& $find) # @(): a single one is no list otherwise, and has no Count under strict mode
    if ($bindings.Count -eq 0) {
        if (-not $PSCmdlet.ShouldProcess("$Site, port $Port $HostHeader", 'make an https binding')) {
            return
        }
        $sni = [int]($HostHeader -ne '')
        New-WebBinding -Name $Site -Protocol https -Port $Port -IPAddress '*' -HostHeader $HostHeader -SslFlags $sni
        $bindings = @(& $find)
    }
    foreach ($binding in $bindings) {
        if ($binding.certificateHash -eq $Thumbprint) {
            Write-Verbose "$($binding.bindingInformation) has it already."
        } elseif ($PSCmdlet.ShouldProcess("$Site, $($binding.bindingInformation)", "bind certificate $Thumbprint")) {
            if ($binding.certificateHash) {
                $binding.RebindSslCertificate($Thumbprint, 'My')
            } else {
                $binding.AddSslCertificate($Thumbprint, 'My')
            }
        }
    }
}

# The chain that Windows will send; a warning where it does not end in a root that it trusts.
function Test-Chain($Certificate) {
    $chain = New-Object System.Security.Cryptography.X509Certificates.X509Chain
    $chain.ChainPolicy.RevocationMode = 'NoCheck'
    if (-not $chain.Build($Certificate)) {
        $why = ($chain.ChainStatus | ForEach-Object { $_.StatusInformation.Trim() }) -join '; '
        Write-Warning "Windows finds no chain for $($Certificate.Subject): $why"
    }
    foreach ($element in $chain.ChainElements) {
        Write-Verbose "chain: $($element.Certificate.Subject), until $($element.Certificate.NotAfter.ToString('yyyy-MM-dd'))"
    }
}

function Install-SitePfx {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)][string]$Pfx,
        [Parameter(Mandatory = $true)][string]$Site,
        [int]$Port = 443,
        [string]$HostHeader = '',
        [Security.SecureString]$Password,  # asked for where it is not given
        [switch]$Exportable                # so that MMC can save the key again
    )

    if (-not $Password) {
        $Password = Read-Host -AsSecureString -Prompt "Password of $Pfx"
    }
    if (-not $PSCmdlet.ShouldProcess($Pfx, 'import key, certificate and chain')) {
        return
    }
    # What the import gives back is documented as the certificates with private keys alone: what else is in the file, the file says.
    $others = @((Get-PfxData -FilePath $Pfx -Password $Password).OtherCertificates)
    $leaf = @(Import-PfxCertificate -FilePath $Pfx -CertStoreLocation Cert:\LocalMachine\My -Password $Password -Exportable:$Exportable |
        Where-Object { $_.HasPrivateKey })
    if ($leaf.Count -ne 1) {
        throw "$Pfx has $($leaf.Count) certificates with a private key; one is wanted."
    }
    # Whatever came along belongs to the intermediates, not to the machine's own certificates.
    Add-Intermediate $others $PSCmdlet
    foreach ($other in $others) {
        Get-ChildItem Cert:\LocalMachine\My | Where-Object { $_.Thumbprint -eq $other.Thumbprint -and -not $_.HasPrivateKey } | Remove-Item
    }
    Test-Chain $leaf[0]
    Set-SiteCertificate -Thumbprint $leaf[0].Thumbprint -Site $Site -Port $Port -HostHeader $HostHeader
    return $leaf[0]
}

function Complete-SiteRequest {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)][string]$Reply,  # fullchain.p7b, or cert.cer
        [Parameter(Mandatory = $true)][string]$Site,
        [int]$Port = 443,
        [string]$HostHeader = ''
    )

    $path = (Resolve-Path -LiteralPath $Reply).ProviderPath
    $came = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2Collection
    $came.Import($path)
    if (-not $PSCmdlet.ShouldProcess($Reply, 'complete the certificate request')) {
        return
    }
    & certreq.exe -accept -machine $path
    if ($LASTEXITCODE -ne 0) {
        throw "certreq -accept ended with $LASTEXITCODE. Is this the machine that made the request, and is the request still pending (MMC, Certificate Enrollment Requests)?"
    }
    $leaf = @(Get-ChildItem Cert:\LocalMachine\My | Where-Object { $_.HasPrivateKey -and ($came | ForEach-Object { $_.Thumbprint }) -contains $_.Thumbprint })
    if ($leaf.Count -ne 1) {
        throw "$Reply was accepted, but $($leaf.Count) of its certificates have a private key here."
    }
    Add-Intermediate @($came | Where-Object { $_.Thumbprint -ne $leaf[0].Thumbprint }) $PSCmdlet
    Test-Chain $leaf[0]
    Set-SiteCertificate -Thumbprint $leaf[0].Thumbprint -Site $Site -Port $Port -HostHeader $HostHeader
    return $leaf[0]
}

Export-ModuleMember -Function Remove-OldIntermediate, Import-Intermediate, Install-SitePfx, Complete-SiteRequest, Set-SiteCertificate
