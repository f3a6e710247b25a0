"""Credentials of Microsoft Azure."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Find, Rule

RULES = (
    Rule(
        name="azure-client-secret",
        vendor="Microsoft Azure",
        docs="https://learn.microsoft.com/en-us/entra/identity-platform/how-to-add-credentials",
        pattern="[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
        trigger="",
        edge=Edge.WORD,
        positives=("AZURE_CLIENT_SECRET=«{b62:3}8Q~{b62:34}»",),
    ),
    Rule(
        name="azure-account-key",
        vendor="Microsoft Azure",
        docs="https://learn.microsoft.com/en-us/azure/storage/common/storage-account-keys-manage",
        pattern=r'(?:AccountKey|SharedAccessKey|accessKey|Primary ?Key|SharedSecretValue)["\s]{0,3}[=:][\s"]{0,3}([A-Za-z0-9+/]{43,86}={1,2})',
        group=1,
        caseless=True,
        edge=Edge.FREE,
        entropy=4.0,
        positives=(
            "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=«{b64:86}==»;EndpointSuffix=core.windows.net",
            "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=«{b64:43}=»",
        ),
        negatives=(
            "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;",
        ),
    ),
    Rule(
        name="azure-storage-key",
        vendor="Microsoft Azure",
        docs="https://learn.microsoft.com/en-us/azure/storage/common/storage-account-keys-manage",
        pattern=r"[A-Za-z0-9+/]{76}\+(?:ASt|ARm|ASe|AMC|ABa|ACR)[A-Za-z0-9+/]{5}[AQgw]==",
        positives=("storage: «{b64:76}+ASt{b64:5}Q==»",),
    ),
    Rule(
        name="azure-shared-access-signature",
        vendor="Microsoft Azure",
        docs="https://learn.microsoft.com/en-us/azure/storage/common/storage-sas-overview",
        pattern=r"(?:[?&;]|\\u0026)sig=([A-Za-z0-9%+/]{43,66}(?:%3D|=))",
        group=1,
        caseless=True,
        edge=Edge.FREE,
        keywords=(
            "sv=",
            "se=",
            "skn=",
            "sr=",
        ),
        entropy=4.0,
        positives=(
            "https://n.blob.core.windows.net/c/f?sv=2024-11-04&se=2030-01-01&sr=b&sp=r&sig=«{b64:43}%3D»",
        ),
    ),
    Rule(
        name="azure-identifiable-key",
        vendor="Azure AI services",
        docs="https://learn.microsoft.com/en-us/azure/ai-services/authentication",
        pattern="[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{18}[A-Za-z0-9]{4}[A-Za-z0-9]{4}",
        positives=("AZURE_OPENAI_API_KEY=«{b62:52}JQQJ99{b62:26}»",),
    ),
    Rule(
        name="azure-openai-legacy-key",
        vendor="Azure AI services",
        docs="https://learn.microsoft.com/en-us/azure/ai-services/authentication",
        pattern="[0-9a-f]{32}",
        find=Find.ASSIGNED,
        keywords=(
            "azure",
            "cognitive",
            "openai.azure",
        ),
        named=(
            "key",
            "token",
        ),
        rank=30,
        positives=("AZURE_OPENAI_API_KEY=«{hex:32}»",),
    ),
    Rule(
        name="azure-functions-key",
        vendor="Azure Functions",
        docs="https://learn.microsoft.com/en-us/azure/azure-functions/function-keys-how-to",
        pattern="[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]==",
        positives=("x-functions-key: «{b64u:44}AzFu{b64u:5}Q==»",),
    ),
    Rule(
        name="azure-search-key",
        vendor="Azure AI Search",
        docs="https://learn.microsoft.com/en-us/azure/search/search-security-api-keys",
        pattern="[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}",
        positives=("api-key: «{b62:42}AzSeB{b62:5}»",),
    ),
    Rule(
        name="azure-cosmos-key",
        vendor="Azure Cosmos DB",
        docs="https://learn.microsoft.com/en-us/azure/cosmos-db/secure-access-to-data",
        pattern="[A-Za-z0-9+/_-]{76}ACDb[A-Za-z0-9+/]{5}[AQgw]==",
        positives=("key: «{b64:76}ACDb{b64:5}Q==»",),
    ),
)
